import {
  createApnsKey,
  createCertificateAuthority,
  createHmsApp,
  createServiceAccount,
  createVapidKeys,
  type ApnsKeyPair,
  type CertificateAuthority,
  type HmsApp,
  type ServiceAccountFile,
  type VapidKeys,
} from '@homing/simulators';
import { keepFirst, readKept, writeKept } from './kept-file.ts';

export const DEMO_TOPIC = 'com.example.shop';
export const DEMO_PROJECT = 'homing-demo';
/** Whom a push service would write to. */
export const DEMO_CONTACT = 'mailto:shop@example.com';
export const DEMO_EXPO_PROJECT = '@homing/demo';

/** What makes the simulators the same ones again after a restart. */
export interface SimulatorIdentity {
  readonly authority: CertificateAuthority;
  readonly apnsKey: ApnsKeyPair;
  /** Google's key file, without the token endpoint, which the configuration names. */
  readonly serviceAccount: Omit<ServiceAccountFile, 'token_uri'>;
  readonly serviceAccountPublicKeyPem: string;
  readonly hmsApp: HmsApp;
  readonly vapidKeys: VapidKeys;
}

interface KeptIdentity {
  readonly authority: { readonly keyPem: string; readonly certificatePem: string };
  readonly apnsKey: ApnsKeyPair;
  readonly serviceAccount: Omit<ServiceAccountFile, 'token_uri'>;
  readonly serviceAccountPublicKeyPem: string;
  readonly hmsApp: HmsApp;
  readonly vapidKeys: VapidKeys;
}

/** What versions before these providers did not keep. */
type EarlierIdentity = Omit<KeptIdentity, 'hmsApp' | 'vapidKeys'> & Partial<KeptIdentity>;

/** Reads the identity kept in a file, or makes one and keeps it there. */
export async function loadSimulatorIdentity(path: string): Promise<SimulatorIdentity> {
  const text = (await readKept(path)) ?? (await keepFirst(path, await makeIdentity()));
  const kept = await complete(path, JSON.parse(text) as EarlierIdentity);
  return { ...kept, authority: await createCertificateAuthority(kept.authority) };
}

/** Adds to a file of an earlier version what that version had no use for. */
async function complete(path: string, kept: EarlierIdentity): Promise<KeptIdentity> {
  const { hmsApp, vapidKeys } = kept;
  if (hmsApp !== undefined && vapidKeys !== undefined) return { ...kept, hmsApp, vapidKeys };
  const completed = {
    ...kept,
    hmsApp: hmsApp ?? createHmsApp(),
    vapidKeys: vapidKeys ?? createVapidKeys(),
  };
  await writeKept(path, JSON.stringify(completed, null, 2));
  return completed;
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
    hmsApp: createHmsApp(),
    vapidKeys: createVapidKeys(),
  };
  return JSON.stringify(made, null, 2);
}
