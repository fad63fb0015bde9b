/** One environment variable that Homing reads. */
export interface EnvironmentVariable {
  readonly description: string;
  /** How the default reads in the documentation; null when there is none. */
  readonly default: string | null;
}

/** Every environment variable of the server; `docs/config.md` shows the same table. */
export const ENVIRONMENT = {
  HOMING_DATABASE_URL: {
    description: 'PostgreSQL 15 or newer, as a postgres:// URL. `DATABASE_URL` serves as well.',
    default: null,
  },
  HOMING_DATABASE_DIRECT_URL: {
    description: 'The same database past a transaction pooler, for LISTEN. "off" without it.',
    default: 'the value of HOMING_DATABASE_URL',
  },
  HOMING_DATABASE_CONNECTIONS: {
    description: 'How many connections one process opens at most; one that sends has two more.',
    default: '10',
  },
  HOMING_HOST: { description: 'The address to listen on.', default: '127.0.0.1' },
  HOMING_PORT: { description: 'The port to listen on; 0 takes any that is free.', default: '8700' },
  HOMING_TLS_CERT_FILE: {
    description: 'Certificate chain in PEM; with it, and the key, the API speaks TLS.',
    default: null,
  },
  HOMING_TLS_KEY_FILE: { description: 'Private key in PEM for the certificate.', default: null },
  HOMING_TRUSTED_PROXIES: {
    description: 'Addresses or networks, comma-separated, whose X-Forwarded-For is believed.',
    default: 'none',
  },
  HOMING_ROLE: {
    description: 'What this process does: `api`, `worker` or `all`.',
    default: 'all',
  },
  HOMING_WORKER_PORT: {
    description: 'Where a mere worker serves `/livez`, `/readyz` and `/metrics`; 0 takes any port.',
    default: 'none',
  },
  HOMING_MASTER_KEY: {
    description: '32 random bytes in base64; seals credentials. Keep it apart from the database.',
    default: null,
  },
  HOMING_MASTER_KEY_FILE: {
    description: 'A file that holds the master key, instead of HOMING_MASTER_KEY.',
    default: null,
  },
  HOMING_MASTER_KEY_PREVIOUS: {
    description:
      'Master keys that only open what they sealed, comma-separated, while one is replaced.',
    default: 'none',
  },
  HOMING_MASTER_KEY_PREVIOUS_FILE: {
    description: 'A file that holds those, one on a line, instead of HOMING_MASTER_KEY_PREVIOUS.',
    default: null,
  },
  HOMING_DELIVERY_DAYS: {
    description: 'How many days notifications, deliveries and receipts are kept.',
    default: '90',
  },
  HOMING_LOG_LEVEL: {
    description: '`silent`, `error`, `warn`, `info` or `debug`.',
    default: 'info',
  },
  HOMING_APNS_URL: {
    description: 'Where APNs is: for simulators and proxies.',
    default: 'https://api.push.apple.com',
  },
  HOMING_APNS_SANDBOX_URL: {
    description: 'Where the APNs sandbox is.',
    default: 'https://api.sandbox.push.apple.com',
  },
  HOMING_FCM_URL: { description: 'Where FCM is.', default: 'https://fcm.googleapis.com' },
  HOMING_GOOGLE_TOKEN_URL: {
    description: "Google's token endpoint; service accounts that name another are refused.",
    default: 'https://oauth2.googleapis.com/token',
  },
  HOMING_HMS_URL: {
    description: "Where Huawei's Push Kit is.",
    default: 'https://push-api.cloud.huawei.com',
  },
  HOMING_HMS_TOKEN_URL: {
    description: "Huawei's token endpoint.",
    default: 'https://oauth-login.cloud.huawei.com/oauth2/v3/token',
  },
  HOMING_WEBPUSH_HOSTS: {
    description:
      'Push services beside those of the browsers, `name` or `name:port`, comma-separated; they need not be public.',
    default: 'none',
  },
  HOMING_EXPO_URL: {
    description: 'Where the Expo push service is.',
    default: 'https://exp.host',
  },
  HOMING_OUTBOUND_HOSTS: {
    description:
      'Hosts of your own network, `name` or `name:port`, comma-separated, that an app may name.',
    default: 'none',
  },
  HOMING_OUTBOUND_CA_FILE: {
    description: 'Certificates in PEM to trust for those hosts instead of the system’s.',
    default: null,
  },
  HOMING_PROVIDER_CA_FILE: {
    description: 'Certificates in PEM to trust for providers instead of the system’s.',
    default: null,
  },
} as const satisfies Readonly<Record<string, EnvironmentVariable>>;

export type EnvironmentName = keyof typeof ENVIRONMENT;
export type Environment = Readonly<Partial<Record<EnvironmentName | 'DATABASE_URL', string>>>;
