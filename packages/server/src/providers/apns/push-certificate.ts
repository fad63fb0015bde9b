import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { ApnsEnvironment } from '../../domain/address.ts';

/** A push certificate of Apple's, with what it says about itself. */
export interface PushCertificate {
  /** As OpenSSL and Node take it. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly teamId: string;
  readonly topics: readonly string[];
  readonly environments: readonly ApnsEnvironment[];
  readonly expiresAt: Date;
}

export type ParsedCertificate =
  | { readonly kind: 'certificate'; readonly certificate: PushCertificate }
  | { readonly kind: 'unusable'; readonly field: PemField; readonly why: string };

type PemField = 'certificatePem' | 'privateKeyPem';

/** Apple's extensions: topics, and the environments that a certificate is good for. */
const TOPICS = '2a864886f76364060306';
const ENVIRONMENTS: Readonly<Record<ApnsEnvironment, string>> = {
  sandbox: '2a864886f76364060301',
  production: '2a864886f76364060302',
};

/**
 * Reads a push certificate (Apple, "Establishing a certificate-based connection to APNs"). Whether
 * it has expired is not asked: that is for Apple to say, and for a warning before. No problem
 * repeats what was given.
 */
export function readPushCertificate(
  certificatePem: string,
  privateKeyPem: string,
): ParsedCertificate {
  const certificate = attempt(() => new X509Certificate(certificatePem));
  if (certificate === null) return unusable('certificatePem', 'cannot be read as a certificate');
  const key = attempt(() => createPrivateKey(privateKeyPem));
  if (key === null) return unusable('privateKeyPem', 'cannot be read as a private key');
  if (!certificate.checkPrivateKey(key)) {
    return unusable('privateKeyPem', 'is not the key of the certificate');
  }
  const extensions = extensionsOf(certificate.raw);
  const subject = certificate.subject.split('\n');
  const topics = topicsOf(extensions.get(TOPICS) ?? null) ?? subjectParts(subject, 'UID');
  const environments = (['production', 'sandbox'] as const).filter((name) =>
    extensions.has(ENVIRONMENTS[name]),
  );
  if (topics.length === 0 || environments.length === 0) {
    return unusable('certificatePem', 'is no push certificate of Apple');
  }
  const [teamId = topics[0] ?? ''] = subjectParts(subject, 'OU');
  const expiresAt = certificate.validToDate;
  const pems = { certificatePem, privateKeyPem };
  return {
    kind: 'certificate',
    certificate: { ...pems, teamId, topics, environments, expiresAt },
  };
}

function unusable(field: PemField, why: string): ParsedCertificate {
  return { kind: 'unusable', field, why };
}

/** OpenSSL's errors may quote what was given, so none is passed on. */
function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function subjectParts(subject: readonly string[], name: string): readonly string[] {
  const prefix = `${name}=`;
  return subject.flatMap((line) => (line.startsWith(prefix) ? [line.slice(prefix.length)] : []));
}

/** Each topic is followed by a sequence that names its uses, so only the first level counts. */
function topicsOf(extension: Buffer | null): readonly string[] | null {
  const [list] = extension === null ? [] : elements(extension);
  if (list === undefined) return null;
  const texts = elements(list.content).filter(({ tag }) => tag === UTF8_STRING);
  return texts.map(({ content }) => content.toString('utf8'));
}

const [OCTET_STRING, UTF8_STRING, EXTENSIONS] = [0x04, 0x0c, 0xa3];

/** By the hexadecimal digits of their identifiers (RFC 5280, section 4.1). */
function extensionsOf(certificate: Buffer): ReadonlyMap<string, Buffer> {
  const [whole] = elements(certificate);
  const [signed] = whole === undefined ? [] : elements(whole.content);
  const parts = signed === undefined ? [] : elements(signed.content);
  const [list] = elements(parts.find(({ tag }) => tag === EXTENSIONS)?.content ?? Buffer.alloc(0));
  const found = (list === undefined ? [] : elements(list.content)).flatMap(({ content }) => {
    const [identifier, ...rest] = elements(content);
    const value = rest.find(({ tag }) => tag === OCTET_STRING);
    if (identifier === undefined || value === undefined) return [];
    return [[identifier.content.toString('hex'), value.content] as const];
  });
  return new Map(found);
}

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/** The DER elements side by side in some bytes; the rest is left out where one is cut short. */
function elements(bytes: Buffer): readonly Element[] {
  const found: Element[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const [tag = 0, first = 0] = bytes.subarray(at, at + 2);
    const octets = first < 0x80 ? 0 : first & 0x7f;
    const from = at + 2 + octets;
    if (octets > 4 || from > bytes.length) break;
    const length = octets === 0 ? first : bytes.readUIntBE(at + 2, octets);
    if (from + length > bytes.length) break;
    found.push({ tag, content: bytes.subarray(from, from + length) });
    at = from + length;
  }
  return found;
}
