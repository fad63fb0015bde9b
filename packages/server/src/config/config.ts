import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { LOG_LEVELS, type LogLevel } from '../domain/log-level.ts';
import type { Environment, EnvironmentName } from './env.ts';

export type Role = 'api' | 'worker' | 'all';

export interface ProviderEndpoints {
  readonly apns: string;
  readonly apnsSandbox: string;
  readonly fcm: string;
  readonly googleToken: string;
  readonly hms: string;
  readonly hmsToken: string;
  /** `name:port` of push services for Web Push beside those of the browsers. */
  readonly webPushHosts: readonly string[];
  readonly expo: string;
  /** PEM certificates to trust for providers; null for the system's. */
  readonly ca: string | null;
}

/** What the server runs with: validated, derived and frozen. "Off" is null. */
export interface Config {
  readonly role: Role;
  readonly database: {
    readonly url: string;
    /** For LISTEN; null leaves everything to the poll. */
    readonly directUrl: string | null;
    readonly connections: number;
  };
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly tls: { readonly key: string; readonly cert: string } | null;
    readonly trustedProxies: readonly string[];
    /** Where a mere worker tells of its health; null for nowhere. */
    readonly workerPort: number | null;
  };
  readonly retention: {
    /** How long notifications and what became of them are kept. */
    readonly deliveryDays: number;
  };
  /** Where the server goes on behalf of an app, such as for its key set. */
  readonly outbound: {
    /** `name:port` of hosts that need not be public. */
    readonly hosts: readonly string[];
    /** PEM certificates to trust for them; null for the system's. */
    readonly ca: string | null;
  };
  readonly logLevel: LogLevel;
  readonly providers: ProviderEndpoints;
}

/** A setting that cannot be used: says which one, and what would do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly variable: string;

  constructor(variable: EnvironmentName | 'DATABASE_URL', detail: string) {
    super(`${variable}: ${detail}`);
    this.variable = variable;
  }
}

/** Reads and validates the configuration; throws a `ConfigError` that names what is wrong. */
export function readConfig(env: Environment): Config {
  const url = databaseUrl(env);
  return Object.freeze({
    role: oneOf(env, 'HOMING_ROLE', ['api', 'worker', 'all'], 'all'),
    database: {
      url,
      directUrl: directUrl(env, url),
      connections: integer(env, 'HOMING_DATABASE_CONNECTIONS', 10, 2, 1_000),
    },
    http: {
      host: env.HOMING_HOST ?? '127.0.0.1',
      port: integer(env, 'HOMING_PORT', 8_700, 0, 65_535),
      tls: readTls(env),
      trustedProxies: trustedProxies(env),
      workerPort:
        env.HOMING_WORKER_PORT === undefined
          ? null
          : integer(env, 'HOMING_WORKER_PORT', 0, 0, 65_535),
    },
    // The longest time to live is 28 days, and work that is not done is never dropped.
    retention: { deliveryDays: integer(env, 'HOMING_DELIVERY_DAYS', 90, 30, 3_650) },
    outbound: {
      hosts: hostsAndPorts(env, 'HOMING_OUTBOUND_HOSTS'),
      ca: readCertificates(env, 'HOMING_OUTBOUND_CA_FILE'),
    },
    logLevel: oneOf(env, 'HOMING_LOG_LEVEL', LOG_LEVELS, 'info'),
    providers: {
      apns: httpsUrl(env, 'HOMING_APNS_URL', 'https://api.push.apple.com'),
      apnsSandbox: httpsUrl(env, 'HOMING_APNS_SANDBOX_URL', 'https://api.sandbox.push.apple.com'),
      fcm: httpsUrl(env, 'HOMING_FCM_URL', 'https://fcm.googleapis.com'),
      googleToken: httpsUrl(env, 'HOMING_GOOGLE_TOKEN_URL', 'https://oauth2.googleapis.com/token'),
      hms: httpsUrl(env, 'HOMING_HMS_URL', 'https://push-api.cloud.huawei.com'),
      hmsToken: httpsUrl(
        env,
        'HOMING_HMS_TOKEN_URL',
        'https://oauth-login.cloud.huawei.com/oauth2/v3/token',
      ),
      webPushHosts: hostsAndPorts(env, 'HOMING_WEBPUSH_HOSTS'),
      expo: httpsUrl(env, 'HOMING_EXPO_URL', 'https://exp.host'),
      ca: readCertificates(env, 'HOMING_PROVIDER_CA_FILE'),
    },
  });
}

function databaseUrl(env: Environment): string {
  const url = env.HOMING_DATABASE_URL ?? env.DATABASE_URL;
  if (url === undefined) {
    throw new ConfigError(
      'HOMING_DATABASE_URL',
      'is required; run "homing dev" for an embedded database',
    );
  }
  const name = env.HOMING_DATABASE_URL === undefined ? 'DATABASE_URL' : 'HOMING_DATABASE_URL';
  requireDatabaseUrl(name, url);
  return url;
}

function directUrl(env: Environment, url: string): string | null {
  const direct = env.HOMING_DATABASE_DIRECT_URL;
  if (direct === undefined) return url;
  if (direct === 'off') return null;
  requireDatabaseUrl('HOMING_DATABASE_DIRECT_URL', direct);
  return direct;
}

/** Names of networks that proxies are known by, beside addresses. */
const NAMED_NETWORKS = ['loopback', 'linklocal', 'uniquelocal'];

function trustedProxies(env: Environment): readonly string[] {
  const given = listed(env, 'HOMING_TRUSTED_PROXIES');
  const wrong = given.find((part) => !isNetwork(part));
  if (wrong === undefined) return given;
  throw new ConfigError(
    'HOMING_TRUSTED_PROXIES',
    `"${wrong}" is neither an address, nor a network such as 10.0.0.0/8, nor one of ` +
      NAMED_NETWORKS.join(', '),
  );
}

/** Each as the URL parser writes it, with its port. */
function hostsAndPorts(env: Environment, name: EnvironmentName): readonly string[] {
  return listed(env, name).map((part) => {
    const url = URL.canParse(`https://${part}`) ? new URL(`https://${part}`) : null;
    if (url === null || url.host === '' || url.href !== `https://${url.host}/`) {
      const detail = `"${part}" is neither a host nor a host with a port, such as keys.internal:8443`;
      throw new ConfigError(name, detail);
    }
    return `${url.hostname}:${url.port === '' ? '443' : url.port}`;
  });
}

function listed(env: Environment, name: EnvironmentName): readonly string[] {
  const parts = (env[name] ?? '').split(',').map((part) => part.trim());
  return parts.filter((part) => part !== '');
}

function isNetwork(text: string): boolean {
  if (NAMED_NETWORKS.includes(text)) return true;
  const [address = '', bits = '1', ...rest] = text.split('/');
  const family = isIP(address);
  const mostBits = family === 4 ? 32 : 128;
  const isPrefix = /^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= mostBits;
  return family !== 0 && isPrefix && rest.length === 0;
}

function readTls(env: Environment): { readonly key: string; readonly cert: string } | null {
  const cert = readText(env, 'HOMING_TLS_CERT_FILE');
  const key = readText(env, 'HOMING_TLS_KEY_FILE');
  if (cert === null && key === null) return null;
  if (cert === null) throw new ConfigError('HOMING_TLS_CERT_FILE', 'is required with the key');
  if (key === null)
    throw new ConfigError('HOMING_TLS_KEY_FILE', 'is required with the certificate');
  const certificate = parseCertificate(cert);
  if (certificate === null) {
    throw new ConfigError('HOMING_TLS_CERT_FILE', 'holds no certificate in PEM form');
  }
  const privateKey = parsePrivateKey(key);
  if (privateKey === null) {
    throw new ConfigError('HOMING_TLS_KEY_FILE', 'holds no unencrypted private key in PEM form');
  }
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new ConfigError('HOMING_TLS_KEY_FILE', 'holds the key of another certificate');
  }
  return { key, cert };
}

function readCertificates(env: Environment, name: EnvironmentName): string | null {
  const pem = readText(env, name);
  if (pem === null) return null;
  if (parseCertificate(pem) === null) {
    throw new ConfigError(name, 'holds no certificate in PEM form');
  }
  return pem;
}

function parseCertificate(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
}

function parsePrivateKey(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
}

function readText(env: Environment, name: EnvironmentName): string | null {
  const path = env[name];
  if (path === undefined) return null;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new ConfigError(name, `cannot read ${path} (${reason})`);
  }
}

function integer(
  env: Environment,
  name: EnvironmentName,
  fallback: number,
  least: number,
  most: number,
): number {
  const text = env[name];
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new ConfigError(name, `"${text}" is not a whole number from ${least} to ${most}`);
  }
  return value;
}

function oneOf<const T extends string>(
  env: Environment,
  name: EnvironmentName,
  allowed: readonly T[],
  fallback: T,
): T {
  const text = env[name];
  if (text === undefined) return fallback;
  const found = allowed.find((value) => value === text);
  if (found === undefined) {
    throw new ConfigError(name, `"${text}" is not one of ${allowed.join(', ')}`);
  }
  return found;
}

function httpsUrl(env: Environment, name: EnvironmentName, fallback: string): string {
  const text = env[name] ?? fallback;
  if (!text.startsWith('https://') || !URL.canParse(text)) {
    throw new ConfigError(name, 'has to be a URL that begins with https://');
  }
  return text;
}

/** The text is not repeated, since it holds a password. */
function requireDatabaseUrl(name: EnvironmentName | 'DATABASE_URL', text: string): void {
  if (isDatabaseUrl(text)) return;
  throw new ConfigError(name, 'has to be a URL that begins with postgres://');
}

/** PostgreSQL's URLs may list several hosts; each of them alone has to make a URL. */
function isDatabaseUrl(text: string): boolean {
  const parts = /^(postgres(?:ql)?:\/\/(?:[^@/?]*@)?)([^/?]*)(.*)$/.exec(text);
  if (parts === null) return false;
  const [, start = '', hosts = '', end = ''] = parts;
  return hosts.split(',').every((host) => URL.canParse(start + host + end));
}
