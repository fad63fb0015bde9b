import type { AccessTokens } from '../access-tokens.ts';
import type { Answer } from '../answer.ts';
import type { Exchange, ReceivedBody } from '../exchange.ts';
import { isRecord } from '../variant.ts';
import { fcmAnswers } from './answers.ts';
import { addresseesOf, child, findMessageProblem } from './message.ts';
import type { Addressee } from './message.ts';
import type { FcmProject } from './service-account.ts';
import { fieldOf } from './violations.ts';

/** A send request as it came, read but not judged. */
export interface FcmRequest {
  readonly method: string;
  readonly path: string;
  /** The project that the path names; null when the path is not that of sending. */
  readonly project: string | null;
  readonly authorization: string | undefined;
  /** Undefined when the body is not JSON. */
  readonly json: unknown;
  readonly isOversized: boolean;
  readonly message: Readonly<Record<string, unknown>>;
  /** The first target named; whether it is the only one is judged later. */
  readonly addressee: Addressee | null;
  readonly isValidateOnly: boolean;
}

const SEND_PATH = /^\/v1\/projects\/([^/?]+)\/messages:send(?:\?|$)/;
const BEARER = /^bearer +(\S+)$/i;

/** More than any message may have, even one whose 4096 bytes are all written as escapes. */
export const FCM_BODY_LIMIT_BYTES = 64 * 1024;

/** Reads a request without judging it; what cannot be made out is null or undefined. */
export function readFcmRequest(
  { method, path, headers }: Exchange,
  body: ReceivedBody,
): FcmRequest {
  const json = parseJson(body);
  const message = child(json, 'message');
  return {
    method,
    path,
    project: method === 'POST' ? (SEND_PATH.exec(path)?.[1] ?? null) : null,
    authorization: headers.authorization,
    json,
    isOversized: body.length > body.bytes.length,
    message,
    addressee: addresseesOf(message)[0] ?? null,
    isValidateOnly: isRecord(json) && fieldOf(json, 'validate_only') === true,
  };
}

/** The first thing that is wrong with a request; null when nothing is. */
export function findProblem(
  request: FcmRequest,
  projects: ReadonlyMap<string, FcmProject>,
  tokens: AccessTokens,
): Answer | null {
  if (request.project === null) return fcmAnswers.unknownPath(request.path);
  if (request.authorization === undefined) return fcmAnswers.missingCredential();
  const accessToken = BEARER.exec(request.authorization)?.[1] ?? '';
  const owner = tokens.ownerOf(accessToken);
  if (owner === null) return fcmAnswers.invalidCredential();
  const project = projects.get(request.project);
  if (project === undefined) return fcmAnswers.unknownProject();
  if (project.isApiDisabled === true) return fcmAnswers.apiDisabled(project.projectId);
  if (!project.serviceAccounts.some(({ clientEmail }) => clientEmail === owner)) {
    return fcmAnswers.permissionDenied(project.projectId);
  }
  if (request.isOversized) return fcmAnswers.tooLarge();
  if (request.json === undefined) return fcmAnswers.malformed([NOT_JSON]);
  return findMessageProblem(request.json);
}

const NOT_JSON = {
  field: '',
  description: 'Invalid JSON payload received. Unexpected token.',
};

function parseJson({ bytes, length }: ReceivedBody): unknown {
  if (length > bytes.length) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
