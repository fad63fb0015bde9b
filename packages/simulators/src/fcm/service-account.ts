import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

/** A service account as the simulator knows it. */
export interface ServiceAccount {
  readonly clientEmail: string;
  readonly privateKeyId: string;
  readonly publicKeyPem: string;
}

/** A Firebase project and who may send for it. */
export interface FcmProject {
  readonly projectId: string;
  /** The same project's number, which the path may name instead. */
  readonly projectNumber?: string;
  readonly serviceAccounts: readonly ServiceAccount[];
  /** The messaging API is off, as it is in a project where nobody has enabled it. */
  readonly isApiDisabled?: boolean;
}

/** The key file that Google's console lets one download. */
export interface ServiceAccountFile {
  readonly type: 'service_account';
  readonly project_id: string;
  readonly private_key_id: string;
  readonly private_key: string;
  readonly client_email: string;
  readonly client_id: string;
  readonly auth_uri: string;
  readonly token_uri: string;
}

export interface CreatedServiceAccount extends ServiceAccount {
  readonly json: ServiceAccountFile;
}

const generateKeys = promisify(generateKeyPair);

/** Generates a service account with its key file, for tests and demonstrations. */
export async function createServiceAccount(
  projectId: string,
  tokenUrl: string,
): Promise<CreatedServiceAccount> {
  const { privateKey, publicKey } = await generateKeys('rsa', { modulusLength: 2048 });
  const privateKeyId = randomBytes(20).toString('hex');
  const clientEmail = `homing@${projectId}.iam.gserviceaccount.com`;
  return {
    clientEmail,
    privateKeyId,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    json: {
      type: 'service_account',
      project_id: projectId,
      private_key_id: privateKeyId,
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      client_email: clientEmail,
      client_id: BigInt(`0x${randomBytes(8).toString('hex')}`).toString(),
      auth_uri: 'https://accounts.google.com/o/oauth2/auth',
      token_uri: tokenUrl,
    },
  };
}
