import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { ApnsEnvironment } from '../../domain/address.ts';
import { SettingsReader } from '../settings-reader.ts';
import type { ParsedSettings } from '../settings-reader.ts';
import { readPushCertificate, type PushCertificate } from './push-certificate.ts';

/** An APNs authentication key (.p8), which signs provider tokens. */
export interface ApnsKey {
  readonly kind: 'key';
  readonly teamId: string;
  readonly keyId: string;
  readonly signingKey: KeyObject;
}

/** A push certificate, which authenticates connections. */
export interface ApnsCertificate extends PushCertificate {
  readonly kind: 'certificate';
}

/** What authenticates Homing to APNs, and what it may be used for. */
export interface ApnsSettings {
  readonly authentication: ApnsKey | ApnsCertificate;
  readonly teamId: string;
  /** Bundle ids. A push to any other topic is not offered to APNs. */
  readonly topics: readonly string[];
  /** Keys made since 2025 may be good for one environment only. */
  readonly environments: readonly ApnsEnvironment[];
}

/** Where APNs is. Operators set it to reach a simulator or a proxy. */
export interface ApnsEndpoints {
  readonly production: string;
  readonly sandbox: string;
  /** PEM certificates to trust instead of the system's. */
  readonly ca: string | null;
}

/** From Apple's "Sending notification requests to APNs". */
export const APNS_ENDPOINTS: ApnsEndpoints = {
  production: 'https://api.push.apple.com',
  sandbox: 'https://api.sandbox.push.apple.com',
  ca: null,
};

const ENVIRONMENTS = {
  production: ['production'],
  sandbox: ['sandbox'],
  both: ['production', 'sandbox'],
} as const satisfies Record<string, readonly ApnsEnvironment[]>;

const TOPIC = /^[A-Za-z0-9.-]{1,255}$/;

function readSigningKey(reader: SettingsReader): KeyObject | null {
  const pem = reader.string('privateKeyPem', /PRIVATE KEY/, 'the text of the .p8 file');
  if (pem === '') return null;
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
    reader.problem('privateKeyPem', 'must be a P-256 key');
  } catch {
    // The error may quote the key, so its text is not passed on.
    reader.problem('privateKeyPem', 'cannot be read as a private key');
  }
  return null;
}

function readTopics(reader: SettingsReader): readonly string[] {
  const topics = reader.raw('topics');
  const valid =
    Array.isArray(topics) &&
    topics.length > 0 &&
    topics.every((topic): topic is string => typeof topic === 'string' && TOPIC.test(topic));
  if (valid) return topics;
  reader.problem('topics', 'must be a list of at least one bundle id');
  return [];
}

function readEnvironments(reader: SettingsReader): readonly ApnsEnvironment[] {
  const choice = reader.string(
    'environment',
    /^(production|sandbox|both)$/,
    'production, sandbox or both',
  );
  return choice === '' ? [] : ENVIRONMENTS[choice as keyof typeof ENVIRONMENTS];
}

/** Validates what an operator gave; every problem names its field and none repeats a value. */
export function parseApnsSettings(input: unknown): ParsedSettings<ApnsSettings> {
  const reader = new SettingsReader(input);
  return reader.raw('certificatePem') === undefined
    ? parseKeySettings(reader)
    : parseCertificateSettings(reader);
}

/** A certificate says itself which topics and environments it is for. */
function parseCertificateSettings(reader: SettingsReader): ParsedSettings<ApnsSettings> {
  reader.allowOnly(['certificatePem', 'privateKeyPem']);
  const certificatePem = reader.string(
    'certificatePem',
    /CERTIFICATE/,
    'a certificate in PEM form',
  );
  const privateKeyPem = reader.string(
    'privateKeyPem',
    /PRIVATE KEY/,
    'its private key in PEM form',
  );
  if (reader.problems.length > 0) return { kind: 'problems', problems: reader.problems };
  const parsed = readPushCertificate(certificatePem, privateKeyPem);
  if (parsed.kind === 'unusable') {
    reader.problem(parsed.field, parsed.why);
    return { kind: 'problems', problems: reader.problems };
  }
  const { certificate } = parsed;
  const { teamId, topics, environments } = certificate;
  const authentication = { kind: 'certificate', ...certificate } as const;
  return { kind: 'settings', settings: { authentication, teamId, topics, environments } };
}

function parseKeySettings(reader: SettingsReader): ParsedSettings<ApnsSettings> {
  reader.allowOnly(['teamId', 'keyId', 'privateKeyPem', 'topics', 'environment']);
  const teamId = reader.string('teamId', /^[A-Z0-9]{10}$/, 'the ten characters of the team id');
  const keyId = reader.string('keyId', /^[A-Z0-9]{10}$/, 'the ten characters of the key id');
  const signingKey = readSigningKey(reader);
  const topics = readTopics(reader);
  const environments = readEnvironments(reader);
  if (signingKey === null || reader.problems.length > 0) {
    return { kind: 'problems', problems: reader.problems };
  }
  const authentication = { kind: 'key', teamId, keyId, signingKey } as const;
  return { kind: 'settings', settings: { authentication, teamId, topics, environments } };
}
