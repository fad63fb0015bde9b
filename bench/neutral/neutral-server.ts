import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCertificateAuthority } from '@homing/simulators';

/** A server that nobody who is compared has written; it answers like a push provider. */
export interface NeutralServer extends AsyncDisposable {
  readonly name: 'nginx' | 'nghttpd';
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** The certificate to trust, in PEM and as a file of it. */
  readonly authorityPem: string;
  readonly authorityFile: string;
}

/** What a neutral server of this run identifies itself with. */
export interface NeutralIdentity {
  readonly authorityPem: string;
  readonly authorityFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** FCM's library lets nobody choose its host, only where that is dialled. */
const NAMES = ['127.0.0.1', 'localhost', 'fcm.googleapis.com'];

/** Makes a throwaway authority and a certificate by it, in files of a directory. */
export async function makeNeutralIdentity(directory: string): Promise<NeutralIdentity> {
  const authority = await createCertificateAuthority();
  const tls = await authority.issue(NAMES);
  const identity = {
    authorityPem: authority.certificatePem,
    authorityFile: join(directory, 'authority.pem'),
    certificateFile: join(directory, 'server.pem'),
    keyFile: join(directory, 'server.key'),
  };
  await writeFile(identity.authorityFile, authority.certificatePem);
  await writeFile(identity.certificateFile, tls.certificatePem);
  await writeFile(identity.keyFile, tls.keyPem, { mode: 0o600 });
  return identity;
}
