import { fieldValue, RequestShape } from '@homing/h2';
import type { Http2Request, Http2Result } from '@homing/h2';
import type { ApnsEnvironment } from '../../domain/address.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Finding, Verification } from '../../domain/verification.ts';
import { areClocksApart, clockAheadMs } from '../clock-difference.ts';
import { findingOf, SHARED_FINDINGS, verificationOf, type FindingTable } from '../finding.ts';
import { parseJsonObject } from '../json-object.ts';
import type { ApnsSettings } from './settings.ts';

/** What APNs can find wrong with a credential, beside what every provider can. */
export const APNS_FINDINGS = {
  ...SHARED_FINDINGS,
  key_refused: {
    weight: 'wrong',
    field: 'keyId',
    meaning: 'key id, team id and private key do not belong together, or the key was revoked',
    fix: 'Compare the three with the key in Certificates, Identifiers & Profiles.',
  },
  environment_refused: {
    weight: 'wrong',
    field: 'environment',
    meaning: 'the credential was made for the other environment',
    fix: 'Name the environment that it was made for, or make one for both.',
  },
  topic_refused: {
    weight: 'wrong',
    field: 'topics',
    meaning: 'the credential may not push to this bundle id',
    fix: 'Correct the bundle id, or use a key of the team that owns it.',
  },
  topic_malformed: {
    weight: 'wrong',
    field: 'topics',
    meaning: 'this is no bundle id',
    fix: 'Copy the bundle id from the settings of the app.',
  },
  certificate_refused: {
    weight: 'wrong',
    field: 'certificatePem',
    meaning: 'the certificate has expired, was revoked, or is none for pushes',
    fix: 'Make a new certificate for the bundle id.',
  },
  forbidden: {
    weight: 'wrong',
    field: null,
    meaning: 'the credential may not send pushes',
    fix: 'Check what the key is enabled for in Certificates, Identifiers & Profiles.',
  },
  topics_left_out: {
    weight: 'notice',
    field: 'topics',
    meaning: 'only the first ten bundle ids were asked about',
    fix: 'Divide the bundle ids among several credentials to have all of them verified.',
  },
} as const satisfies FindingTable;

type FindingCode = keyof typeof APNS_FINDINGS;

/** APNs counts pushes to tokens that do not exist, and closes the connection after many. */
const MAX_TOPICS = 10;

/**
 * Well-formed and nobody's: Apple's tokens are random. APNs looks at it only once it has taken the
 * credential and the topic, so `BadDeviceToken` says that those are right.
 */
const NOBODYS_TOKEN = '0'.repeat(64);

const QUESTION = new RequestShape({
  constants: { 'apns-push-type': 'background', 'apns-priority': '5', 'apns-expiration': '0' },
  varying: ['apns-topic'],
});
const BODY = Buffer.from(JSON.stringify({ aps: { 'content-available': 1 } }));

/** What stands for "credential and topic are right", beside 200. */
const TAKEN: ReadonlySet<string> = new Set([
  'BadDeviceToken',
  'DeviceTokenNotForTopic',
  'Unregistered',
  'ExpiredToken',
]);

const BY_REASON: Readonly<Record<string, FindingCode>> = {
  InvalidProviderToken: 'key_refused',
  MissingProviderToken: 'key_refused',
  BadEnvironmentKeyInToken: 'environment_refused',
  BadEnvironmentKeyIdInToken: 'environment_refused',
  BadCertificateEnvironment: 'environment_refused',
  BadCertificate: 'certificate_refused',
  TopicDisallowed: 'topic_refused',
  BadTopic: 'topic_malformed',
  Forbidden: 'forbidden',
};

/** Refusals of a signature that a wrong clock explains, if the clock is wrong. */
const BY_CLOCK: ReadonlySet<string> = new Set(['ExpiredProviderToken', 'InvalidProviderToken']);

export interface ApnsVerifyOptions {
  readonly settings: Pick<ApnsSettings, 'topics' | 'environments'>;
  readonly clock: Clock;
  /** Sends one request to the environment, authenticated as pushes are. */
  readonly ask: (environment: ApnsEnvironment, request: Http2Request) => Promise<Http2Result>;
}

interface Reply {
  readonly finding: Finding | null;
  readonly aheadMs: number | null;
}

/** Asks APNs about every topic in every environment of a credential, by pushes to nobody. */
export async function verifyApns(options: ApnsVerifyOptions): Promise<Verification> {
  const { environments, topics } = options.settings;
  const asked = topics.slice(0, MAX_TOPICS);
  const replies: Reply[] = [];
  for (const environment of environments) {
    // One after the other: a new connection has one stream until APNs has taken a credential.
    for (const topic of asked) {
      const reply = await askAbout(options, environment, topic);
      replies.push(reply);
      if (reply.finding !== null && isAboutAllTopics(reply.finding)) break;
    }
  }
  const findings = replies.flatMap(({ finding }) => finding ?? []);
  const leftOut =
    asked.length < topics.length
      ? [findingOf('topics_left_out', APNS_FINDINGS.topics_left_out)]
      : [];
  const aheadMs = replies.find((reply) => reply.aheadMs !== null)?.aheadMs ?? null;
  return verificationOf([...findings, ...leftOut], aheadMs);
}

/** The next topic would be answered alike. */
function isAboutAllTopics({ field }: Finding): boolean {
  return field !== 'topics';
}

async function askAbout(
  { clock, ask }: ApnsVerifyOptions,
  environment: ApnsEnvironment,
  topic: string,
): Promise<Reply> {
  const path = `/3/device/${NOBODYS_TOKEN}`;
  const result = await ask(environment, { shape: QUESTION, path, values: [topic], body: BODY });
  if (result.kind !== 'answer') {
    const answer = result.kind === 'no_answer' ? result.code : result.detail;
    return { finding: found('unreachable', answer, environment), aheadMs: null };
  }
  const aheadMs = clockAheadMs(fieldValue(result.fields, 'date'), clock());
  const reason = parseJsonObject(result.body)?.['reason'];
  const code = typeof reason === 'string' ? reason : String(result.status);
  if (result.status === 200 || TAKEN.has(code)) return { finding: null, aheadMs };
  return { finding: judge(result.status, code, aheadMs, `${topic}, ${environment}`), aheadMs };
}

function judge(status: number, code: string, aheadMs: number | null, about: string): Finding {
  if (BY_CLOCK.has(code) && areClocksApart(aheadMs)) return found('clock_wrong', code, about);
  const known = Object.hasOwn(BY_REASON, code) ? BY_REASON[code] : undefined;
  if (known !== undefined) return found(known, code, about);
  const isBusy = status === 429 || status >= 500 || code === 'ExpiredProviderToken';
  return found(isBusy ? 'provider_busy' : 'unexpected_answer', code, about);
}

function found(code: FindingCode, answer: string, about: string): Finding {
  return findingOf(code, APNS_FINDINGS[code], { answer, about });
}
