import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  randomBytes,
  sign,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { promisify } from 'node:util';
import {
  bitString,
  boolean,
  context,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts';

/** A private key (PKCS#8) and the certificate for it, both PEM. */
export interface TlsIdentity {
  readonly keyPem: string;
  readonly certificatePem: string;
}

/** What an APNs client certificate speaks for. The first topic becomes the subject's UID. */
export interface ApnsClientIdentity {
  readonly topics: readonly string[];
  readonly environments: readonly ('production' | 'sandbox')[];
}

export interface CertificateAuthority extends TlsIdentity {
  /** A server certificate for these DNS names and IP addresses. */
  issue(hostnames: readonly string[]): Promise<TlsIdentity>;
  /** A client certificate with the extensions that Apple puts into push certificates. */
  issueApnsClient(identity: ApnsClientIdentity): Promise<TlsIdentity>;
}

interface CertificateContent {
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  readonly validDays: number;
  readonly extensions: readonly Buffer[];
}

/** Apple's extension that lists a push certificate's topics. */
export const APNS_TOPICS_EXTENSION = '1.2.840.113635.100.6.3.6';
/** Apple's marker extensions: the environments a push certificate may be used in. */
export const APNS_ENVIRONMENT_EXTENSIONS = {
  sandbox: '1.2.840.113635.100.6.3.1',
  production: '1.2.840.113635.100.6.3.2',
} as const;

const COMMON_NAME = '2.5.4.3';
const USER_ID = '0.9.2342.19200300.100.1.1';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const ECDSA_WITH_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
const AUTHORITY_NAME = distinguishedName([[COMMON_NAME, 'Homing Simulator CA']]);
const AUTHORITY_VALID_DAYS = 3650;
// Apple's and Chrome's TLS stacks refuse server certificates that are valid for longer.
const LEAF_VALID_DAYS = 397;
const DAY_MS = 86_400_000;

const generateKeys = promisify(generateKeyPair);

/**
 * Creates a certificate authority that lives in memory, or continues one that was kept: pass the
 * key and the certificate of an earlier authority. It is for tests and development; nothing
 * guards its key.
 */
export async function createCertificateAuthority(
  kept?: TlsIdentity,
): Promise<CertificateAuthority> {
  const authority = kept ?? (await selfSign());
  const signingKey = createPrivateKey(authority.keyPem);
  return {
    keyPem: authority.keyPem,
    certificatePem: authority.certificatePem,
    issue: (hostnames) => issueServer(signingKey, hostnames),
    issueApnsClient: (identity) => issueApnsClient(signingKey, identity),
  };
}

async function selfSign(): Promise<TlsIdentity> {
  const { privateKey, publicKey } = await generateKeys('ec', { namedCurve: 'P-256' });
  const certificate = signCertificate(privateKey, {
    subject: AUTHORITY_NAME,
    publicKey,
    validDays: AUTHORITY_VALID_DAYS,
    extensions: [
      extension('2.5.29.19', sequence(boolean(true)), 'critical'),
      // keyCertSign and cRLSign, bits 5 and 6.
      extension('2.5.29.15', bitString(Buffer.from([0x06]), 1), 'critical'),
      extension('2.5.29.14', octetString(keyIdentifier(publicKey))),
    ],
  });
  return identityOf(privateKey, certificate);
}

async function issueServer(
  signingKey: KeyObject,
  hostnames: readonly string[],
): Promise<TlsIdentity> {
  const subject = distinguishedName([[COMMON_NAME, hostnames[0] ?? 'localhost']]);
  const names = hostnames.map((name) => {
    const address = addressBytes(name);
    return address === null
      ? context(2, Buffer.from(name, 'ascii'), 'primitive')
      : context(7, address, 'primitive');
  });
  return issueLeaf(signingKey, subject, [
    extension('2.5.29.37', sequence(objectIdentifier(SERVER_AUTH))),
    extension('2.5.29.17', sequence(...names)),
  ]);
}

async function issueApnsClient(
  signingKey: KeyObject,
  { topics, environments }: ApnsClientIdentity,
): Promise<TlsIdentity> {
  const bundleId = topics[0] ?? '';
  const subject = distinguishedName([
    [USER_ID, bundleId],
    [COMMON_NAME, `Apple Push Services: ${bundleId}`],
  ]);
  const topicList = topics.flatMap((topic) => [utf8String(topic), sequence(utf8String('app'))]);
  return issueLeaf(signingKey, subject, [
    extension('2.5.29.37', sequence(objectIdentifier(CLIENT_AUTH))),
    extension(APNS_TOPICS_EXTENSION, sequence(...topicList)),
    ...environments.map((environment) =>
      extension(APNS_ENVIRONMENT_EXTENSIONS[environment], Buffer.from([0x05, 0x00])),
    ),
  ]);
}

async function issueLeaf(
  signingKey: KeyObject,
  subject: Buffer,
  extensions: readonly Buffer[],
): Promise<TlsIdentity> {
  const { privateKey, publicKey } = await generateKeys('ec', { namedCurve: 'P-256' });
  const authorityKeyIdentifier = keyIdentifier(createPublicKey(signingKey));
  const certificate = signCertificate(signingKey, {
    subject,
    publicKey,
    validDays: LEAF_VALID_DAYS,
    extensions: [
      // digitalSignature, bit 0.
      extension('2.5.29.15', bitString(Buffer.from([0x80]), 7), 'critical'),
      extension('2.5.29.14', octetString(keyIdentifier(publicKey))),
      extension('2.5.29.35', sequence(context(0, authorityKeyIdentifier, 'primitive'))),
      ...extensions,
    ],
  });
  return identityOf(privateKey, certificate);
}

/** RFC 5280 section 4.1: the to-be-signed part, the algorithm, the signature. */
function signCertificate(signingKey: KeyObject, content: CertificateContent): Buffer {
  const now = Date.now();
  const version3 = context(0, integer(Buffer.from([2])), 'constructed');
  const toBeSigned = sequence(
    version3,
    integer(serialNumber()),
    ECDSA_WITH_SHA256,
    AUTHORITY_NAME,
    // A day of slack lets a container with a slow clock trust what was just issued.
    sequence(time(now - DAY_MS), time(now + content.validDays * DAY_MS)),
    content.subject,
    content.publicKey.export({ type: 'spki', format: 'der' }),
    context(3, sequence(...content.extensions), 'constructed'),
  );
  return sequence(toBeSigned, ECDSA_WITH_SHA256, bitString(sign('sha256', toBeSigned, signingKey)));
}

/** Sixteen random bytes that begin with 01: positive and in the shortest form, as DER demands. */
function serialNumber(): Buffer {
  const serial = randomBytes(16);
  serial[0] = 0x01;
  return serial;
}

function extension(identifier: string, value: Buffer, critical?: 'critical'): Buffer {
  const criticality = critical === undefined ? [] : [boolean(true)];
  return sequence(objectIdentifier(identifier), ...criticality, octetString(value));
}

function distinguishedName(attributes: readonly (readonly [string, string])[]): Buffer {
  return sequence(
    ...attributes.map(([type, value]) => set(sequence(objectIdentifier(type), utf8String(value)))),
  );
}

/** Any stable digest of the key will do here (RFC 5280 section 4.2.1.2). */
function keyIdentifier(publicKey: KeyObject): Buffer {
  const encoded = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(encoded).digest().subarray(0, 20);
}

function identityOf(privateKey: KeyObject, certificate: Buffer): TlsIdentity {
  const lines = certificate.toString('base64').replaceAll(/.{1,64}/g, '$&\n');
  return {
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificatePem: `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`,
  };
}

/** The bytes of an IP address literal; null for anything else, which is then a DNS name. */
function addressBytes(hostname: string): Buffer | null {
  if (isIPv4(hostname)) return Buffer.from(hostname.split('.').map(Number));
  if (!isIPv6(hostname)) return null;
  const [head = '', tail = ''] = hostname.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const groups = [...before, ...zeros, ...after].map((group) => parseInt(group, 16));
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}
