import {
  createApnsKey,
  createCertificateAuthority,
  createServiceAccount,
  type ApnsKeyPair,
  type CertificateAuthority,
  type ServiceAccountFile,
} from '@homing/simulators';
import { keepFirst, readKept } from './kept-file.ts';

export const DEMO_TOPIC = 'com.example.shop';
export const DEMO_PROJECT = 'homing-demo';
export const DEMO_EXPO_PROJECT = '@homing/demo';

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
  const text = (await readKept(path)) ?? (await keepFirst(path, await makeIdentity()));
  const kept = JSON.parse(text) as KeptIdentity;
  return { ...kept, authority: await createCertificateAuthority(kept.authority) };
}

async function makeIdentity(): Promise<string> {
  const [authority, account] = await Promise.all([
    createCertificateAuthority(),
    createServiceAccount(DEMO_PROJECT, ''),
  ]);
  const { keyPem, certificatePem } = authority;
  const { token_uri: _tokenUri, ...serviceAccount } = account.json;
  const made: KeptIdentity = {
    authority: { keyPem, certificatePem },
    apnsKey: createApnsKey(),
    serviceAccount,
    serviceAccountPublicKeyPem: account.publicKeyPem,
  };
  return JSON.stringify(made, null, 2);
}
