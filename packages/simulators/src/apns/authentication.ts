import type { Environment } from '../journal.ts';
import type { ApnsReason } from './answers.ts';
import type { ClientCertificate } from './certificate.ts';
import type { ConnectionHistory } from './connection-history.ts';
import type { ApnsKey } from './key.ts';
import type { ProviderTokens } from './provider-token.ts';
import { TOPIC_SUFFIXES, topicProblem } from './topics.ts';

export interface ApnsAuthority {
  readonly environment: Environment;
  readonly providerTokens: ProviderTokens;
  /** The topics of the team, for keys that are not bound to topics of their own. */
  readonly topics: ReadonlySet<string>;
}

/** What authentication looks at. */
export interface Claimant {
  readonly history: ConnectionHistory;
  readonly authorization: string | undefined;
  readonly topic: string;
  readonly pushType: string | null;
  readonly nowMs: number;
}

const BEARER = /^bearer +(\S+)$/i;
// Push types that exist for one kind of credential only (Apple, apns-push-type).
const TOKEN_ONLY = new Set(['location', 'liveactivity']);
const CERTIFICATE_ONLY = new Set(['mdm']);

/** Whether these credentials may push this; a certificate makes the provider token irrelevant. */
export function authenticate(claimant: Claimant, authority: ApnsAuthority): ApnsReason | null {
  const { certificate } = claimant.history;
  return certificate === null
    ? authenticateByToken(claimant, authority)
    : authenticateByCertificate(claimant, certificate, authority.environment);
}

function authenticateByToken(claimant: Claimant, authority: ApnsAuthority): ApnsReason | null {
  const { history, authorization, nowMs } = claimant;
  if (authorization === undefined) return 'MissingProviderToken';
  const text = BEARER.exec(authorization)?.[1];
  if (text === undefined) return 'InvalidProviderToken';
  if (history.isWedged) return 'ExpiredProviderToken';
  const token = authority.providerTokens.verify(text, nowMs);
  if (token === 'ExpiredProviderToken') history.tokenExpired();
  if (typeof token === 'string') return token;
  if (!servesEnvironment(token.key, authority.environment)) return 'BadEnvironmentKeyInToken';
  const conflict = history.present(text, token, nowMs);
  if (conflict !== null) return conflict;
  const { topic, pushType } = claimant;
  if (pushType !== null && CERTIFICATE_ONLY.has(pushType)) return 'TopicDisallowed';
  const owned = token.key.topics === undefined ? authority.topics : new Set(token.key.topics);
  return topicProblem(topic, pushType, owned);
}

function servesEnvironment(key: ApnsKey, environment: Environment): boolean {
  return key.environment === undefined || key.environment === environment;
}

function authenticateByCertificate(
  { topic, pushType }: Claimant,
  certificate: ClientCertificate,
  environment: Environment,
): ApnsReason | null {
  if (!certificate.isTrusted) return 'BadCertificate';
  if (!certificate.environments.has(environment)) return 'BadCertificateEnvironment';
  if (pushType !== null && TOKEN_ONLY.has(pushType)) return 'TopicDisallowed';
  if (!certificate.topics.has(topic)) return 'TopicDisallowed';
  const suffix = pushType === null ? '' : (TOPIC_SUFFIXES.get(pushType) ?? '');
  return topic.endsWith(suffix) ? null : 'BadTopic';
}
