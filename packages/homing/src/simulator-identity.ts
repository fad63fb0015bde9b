import {
  createApnsKey,
  createCertificateAuthority,
  createServiceAccount,
  type ApnsKeyPair,
  type CertificateAuthority,
  type ServiceAccountFile,
} from '@homing/simulators';
import { readKept, writeKept } from './kept-file.ts';

export const DEMO_TOPIC = 'com.example.shop';
export const DEMO_PROJECT = 'homing-demo';

/** What makes the simulators the same ones again after a restart. */
export interface SimulatorIdentity {
  readonly authority: CertificateAuthority;
  readonly apnsKey: ApnsKeyPair;
  /** Google's key file, without the token endpoint, which the configuration names. */
  readonly serviceAccount: Omit<ServiceAccountFile, 'token_uri'>;
  readonly serviceAccountPublicKeyPem: string;
}

interface KeptIdentity {
  readonly authority: { readonly keyPem: string; readonly certificatePem: string };
  readonly apnsKey: ApnsKeyPair;
  readonly serviceAccount: Omit<ServiceAccountFile, 'token_uri'>;
  readonly serviceAccountPublicKeyPem: string;
}

/** Reads the identity kept in a file, or makes one and keeps it there. */
export async function loadSimulatorIdentity(path: string): Promise<SimulatorIdentity> {
  const text = await readKept(path);
  if (text !== null) {
    const kept = JSON.parse(text) as KeptIdentity;
    return { ...kept, authority: await createCertificateAuthority(kept.authority) };
  }
  const [authority, account] = await Promise.all([
    createCertificateAuthority(),
    createServiceAccount(DEMO_PROJECT, ''),
  ]);
  const { token_uri: _tokenUri, ...serviceAccount } = account.json;
  const identity = {
    authority,
    apnsKey: createApnsKey(),
    serviceAccount,
    serviceAccountPublicKeyPem: account.publicKeyPem,
  };
  const { keyPem, certificatePem } = authority;
  const kept: KeptIdentity = { ...identity, authority: { keyPem, certificatePem } };
  await writeKept(path, JSON.stringify(kept, null, 2));
  return identity;
}
