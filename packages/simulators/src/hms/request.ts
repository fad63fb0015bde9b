import type { Answer } from '../answer.ts';
import type { Exchange, ReceivedBody } from '../exchange.ts';
import { bareAnswer, refusal } from './answers.ts';
import type { HmsApp } from './app.ts';
import type { Authenticator } from './authentication.ts';
import type { HmsKnobs } from './knobs.ts';
import { findMessageProblem, tokensOf, type ApiVersion, type HmsMessage } from './message.ts';

/** A send request as it came, read but not judged. */
export interface HmsRequest {
  /** Null when the path is not that of sending. */
  readonly route: { readonly version: ApiVersion; readonly owner: string } | null;
  readonly authorization: string | undefined;
  readonly message: HmsMessage;
  readonly tokens: readonly string[];
}

const SEND_PATH = /^\/(v[123])\/([^/?]+)\/messages:send(?:\?|$)/;

/** A thousand of the longest tokens, and a message. */
export const HMS_BODY_LIMIT_BYTES = 5 * 1024 * 1024;

/** Reads a request without judging it. */
export function readHmsRequest(
  { method, path, headers }: Exchange,
  body: ReceivedBody,
): HmsRequest {
  const [, version, owner = ''] = SEND_PATH.exec(path) ?? [];
  const isSend = method === 'POST' && version !== undefined;
  const pushType = headers['push-type'];
  const message: HmsMessage = {
    version: (version ?? 'v1') as ApiVersion,
    pushType: typeof pushType === 'string' ? pushType : null,
    json: parseJson(body),
  };
  return {
    route: isSend ? { version: message.version, owner } : null,
    authorization: headers.authorization,
    message,
    tokens: tokensOf(message) ?? [],
  };
}

/** The first thing that is wrong with a request; null when nothing is. */
export function findProblem(
  { route, authorization, message }: HmsRequest,
  authenticator: Authenticator,
  knobs: HmsKnobs,
): Answer | null {
  if (route === null) return bareAnswer(404);
  if (authorization === undefined) return bareAnswer(401);
  const { errorsComeWith200 } = knobs;
  const authenticated = authenticator.authenticate(authorization);
  if (authenticated.kind === 'refused') return refusal(authenticated.code, errorsComeWith200);
  const { app, by } = authenticated;
  // HarmonyOS NEXT knows no OAuth clients.
  if (route.version === 'v3' && by === 'client') return refusal('80200001', errorsComeWith200);
  if (!isOwner(app, route)) return refusal('80300002', errorsComeWith200);
  const code = findMessageProblem(message, knobs);
  return code === null ? null : refusal(code, errorsComeWith200);
}

function isOwner(
  { appId, clientId, projectId }: HmsApp,
  { version, owner }: NonNullable<HmsRequest['route']>,
): boolean {
  return version === 'v1' ? owner === appId || owner === clientId : owner === projectId;
}

function parseJson({ bytes, length }: ReceivedBody): unknown {
  if (length > bytes.length) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
