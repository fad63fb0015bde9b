import { Applied, PurposeTokenInput } from '@homing/protocol';
import { Type } from 'typebox';
import { LIMITS } from '../../domain/limits.ts';
import { parsePurpose, PURPOSES, toPurposeAddress, type Purpose } from '../../domain/purpose.ts';
import type { CredentialFacts } from '../../domain/token-input.ts';
import type { RegistryContext } from '../../registry/caller.ts';
import { changePurposeToken } from '../../registry/purpose-token.ts';
import type { App } from '../../store/apps.ts';
import type { Database } from '../../store/sql.ts';
import { fieldError } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { parseInstallationId, requireSeq, SeqQuery } from '../parameters.ts';
import { refusalError } from '../registry-answer.ts';
import type { HttpServer } from '../server.ts';

export interface InstallationPurposeTokensDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
  readonly credentialsOf: (app: App) => Promise<readonly CredentialFacts[]>;
}

const Path = Type.Object({ installation_id: Type.String(), purpose: Type.String() });
const DeleteQuery = Type.Object(
  { ...SeqQuery.properties, activity_id: Type.Optional(Type.String({ maxLength: 255 })) },
  { additionalProperties: false },
);
const ROUTE = '/v1/installations/:installation_id/purpose-tokens/:purpose';

interface Asked {
  readonly path: { readonly installation_id: string; readonly purpose: string };
  readonly seq: number | undefined;
  readonly activityId: string | undefined;
  /** Null ends the token. */
  readonly token: PurposeTokenInput | null;
}

/** `PUT|DELETE /v1/installations/{id}/purpose-tokens/{purpose}`: calls and Live Activities. */
export function installationPurposeTokens(
  server: HttpServer,
  deps: InstallationPurposeTokensDependencies,
): void {
  const { authenticator } = deps;
  const schema = {
    params: Path,
    response: { 200: Applied },
    summary: 'Addresses beside the alert token: VoIP, Live Activity, push-to-start',
    tags: ['installations'],
  };
  server.put(
    ROUTE,
    { schema: { ...schema, querystring: SeqQuery, body: PurposeTokenInput } },
    async (request) => {
      const context = await authenticator.limitedInstallation(request, 'installations:write');
      const { params: path, query, body: token } = request;
      const activityId = token.activity_id;
      return change(deps, context, { path, seq: query.seq, activityId, token });
    },
  );
  server.delete(ROUTE, { schema: { ...schema, querystring: DeleteQuery } }, async (request) => {
    const context = await authenticator.installation(request, 'installations:write');
    const { params: path, query } = request;
    const activityId = query.activity_id;
    return change(deps, context, { path, seq: query.seq, activityId, token: null });
  });
}

async function change(
  deps: InstallationPurposeTokensDependencies,
  context: RegistryContext,
  asked: Asked,
) {
  const id = parseInstallationId(asked.path.installation_id);
  const purpose = requirePurpose(asked.path.purpose);
  const result = await changePurposeToken(deps.db, context, id, {
    purpose,
    activityId: requireActivity(purpose, asked.activityId, asked.token === null),
    seq: requireSeq(context, asked.seq, '/querystring/seq'),
    address:
      asked.token === null
        ? null
        : requireAddress(purpose, asked.token, await deps.credentialsOf(context.app)),
  });
  switch (result.kind) {
    case 'stored':
    case 'superseded':
      return { applied: result.kind === 'stored', seq: result.seq };
    case 'too_many':
      throw fieldError(
        '/purpose',
        `at most ${LIMITS.purposeTokensPerInstallation} purpose tokens per installation`,
      );
    case 'wrong_secret':
    case 'not_found':
    case 'user_mismatch':
    case 'removed':
      throw refusalError(result.kind);
  }
}

function requirePurpose(text: string): Purpose {
  const purpose = parsePurpose(text);
  if (purpose === null) throw fieldError('/purpose', `has to be one of ${PURPOSES.join(', ')}`);
  return purpose;
}

/** An update token belongs to one Live Activity; the other purposes have one token each. */
function requireActivity(
  purpose: Purpose,
  activityId: string | undefined,
  isDelete: boolean,
): string {
  const pointer = isDelete ? '/querystring/activity_id' : '/activity_id';
  const given = activityId ?? '';
  if (given.includes('\u0000')) throw fieldError(pointer, 'text without NUL characters');
  if (purpose === 'live_activity' && given === '') {
    throw fieldError(pointer, 'required: the id of the Live Activity that the token is for');
  }
  if (purpose !== 'live_activity' && given !== '') {
    throw fieldError(pointer, 'only a token for "live_activity" belongs to an activity');
  }
  return given;
}

function requireAddress(
  purpose: Purpose,
  token: PurposeTokenInput,
  credentials: readonly CredentialFacts[],
) {
  const result = toPurposeAddress(purpose, token, credentials);
  if (result.kind === 'invalid') throw fieldError(result.pointer, result.detail);
  return result.address;
}
