import { generateKeyPair, randomBytes, randomInt } from 'node:crypto';
import { promisify } from 'node:util';

/** A service account as the simulator knows it. */
export interface HmsServiceAccount {
  readonly subAccount: string;
  readonly keyId: string;
  readonly publicKeyPem: string;
}

/** An app of a project, and who may push for it. */
export interface HmsApp {
  readonly appId: string;
  readonly projectId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly serviceAccounts: readonly HmsServiceAccount[];
}

/** The key file that AppGallery Connect lets one download. */
export interface HmsServiceAccountFile {
  readonly project_id: string;
  readonly key_id: string;
  readonly private_key: string;
  readonly sub_account: string;
  readonly auth_uri: string;
  readonly token_uri: string;
}

export interface CreatedHmsServiceAccount extends HmsServiceAccount {
  readonly json: HmsServiceAccountFile;
}

const generateKeys = promisify(generateKeyPair);

/** Huawei's own keys have 4096 bits, which take seconds to make; nothing here depends on it. */
const KEY_BITS = 2048;

/** Makes up an app with an OAuth client, for tests and demonstrations. */
export function createHmsApp(): HmsApp {
  const appId = digits(9);
  const clientSecret = randomBytes(32).toString('hex');
  return { appId, projectId: digits(18), clientId: appId, clientSecret, serviceAccounts: [] };
}

/** Generates a service account with its key file. */
export async function createHmsServiceAccount(
  projectId: string,
): Promise<CreatedHmsServiceAccount> {
  const { privateKey, publicKey } = await generateKeys('rsa', { modulusLength: KEY_BITS });
  const subAccount = digits(9);
  const keyId = randomBytes(16).toString('hex');
  return {
    subAccount,
    keyId,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    json: {
      project_id: projectId,
      key_id: keyId,
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      sub_account: subAccount,
      auth_uri: 'https://oauth-login.cloud.huawei.com/oauth2/v3/authorize',
      token_uri: 'https://oauth-login.cloud.huawei.com/oauth2/v3/token',
    },
  };
}

function digits(count: number): string {
  return `1${Array.from({ length: count - 1 }, () => randomInt(10)).join('')}`;
}
