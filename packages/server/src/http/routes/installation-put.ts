import assert from 'node:assert';
import { InstallationInput, SyncAnswer, type Installation } from '@homing/protocol';
import { ApiError, fieldError, keysUnavailable } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { contentHash } from '../canonical-json.ts';
import type { Identity } from '../identity.ts';
import { InstallationPath, parseInstallationId, requireSeq } from '../parameters.ts';
import { renderInstallation, renderSequences } from '../render-installation.ts';
import type { HttpServer } from '../server.ts';
import { addressKey } from '../../domain/address-key.ts';
import type { AllowedHosts } from '../../domain/outbound-url.ts';
import { isComplete, toAddress, type CredentialFacts } from '../../domain/token-input.ts';
import { toUserPart } from '../user-claims.ts';
import { toDevicePatch } from '../device-patch.ts';
import type { RegistryContext } from '../../registry/caller.ts';
import {
  describeInstallations,
  type InstallationDescription,
} from '../../registry/describe-installation.ts';
import type { SyncQueue } from '../../registry/sync-queue.ts';
import type { SyncInput, SyncResult } from '../../registry/sync-request.ts';
import type { App } from '../../store/apps.ts';
import type { Database } from '../../store/sql.ts';
import { forkedError, refusalError } from '../registry-answer.ts';

export interface InstallationPutDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
  readonly identity: Identity;
  readonly syncs: SyncQueue;
  readonly credentialsOf: (app: App) => Promise<readonly CredentialFacts[]>;
  /** Push services of the operator's own. */
  readonly pushHosts: AllowedHosts;
}

/** `PUT /v1/installations/{id}`: enrolment, refresh, login, logout, switch and check-in. */
export function installationPut(server: HttpServer, deps: InstallationPutDependencies): void {
  server.put(
    '/v1/installations/:installation_id',
    {
      schema: {
        params: InstallationPath,
        body: InstallationInput,
        response: { 200: SyncAnswer, 201: SyncAnswer },
        summary: 'Register, refresh, sign in, sign out, switch or check in, in one packet',
        tags: ['installations'],
      },
    },
    async (request, reply) => {
      const context = await deps.authenticator.limitedInstallation(request, 'installations:write');
      const id = parseInstallationId(request.params.installation_id);
      const input = await toSyncInput(deps, context, id, request.body);
      const synced = requireSynced(await deps.syncs.submit({ kind: 'sync', context, input }));
      const stored = {
        ...renderOutcomes(synced.outcomes),
        seq: renderSequences(synced.installation),
        installation: await renderSynced(deps.db, context, synced),
      };
      const [refused] = synced.refused;
      if (refused !== undefined) throw refusedProofError(synced, refused, input, stored);
      void reply.code(synced.created ? 201 : 200);
      return stored;
    },
  );
}

type Synced = Extract<SyncResult, { kind: 'synced' }>;

/** Only a back end sees the history, which no packet reads. */
async function renderSynced(
  db: Database,
  { caller, now }: RegistryContext,
  { installation, topics, accountMode }: Synced,
): Promise<Installation> {
  const own: InstallationDescription = {
    installation,
    topics,
    lastUser: null,
    lastAcceptedOn: null,
  };
  if (caller.kind === 'client') {
    return renderInstallation(own, { reader: 'client', accountMode, now });
  }
  const [described = own] = await describeInstallations(db, [installation]);
  return renderInstallation(described, { reader: 'back_end', accountMode, now });
}

async function toSyncInput(
  deps: InstallationPutDependencies,
  context: RegistryContext,
  installationId: string,
  body: InstallationInput,
): Promise<SyncInput> {
  const seq = requireSeq(context, body.seq, '/seq');
  const device = toDevicePatch(body);
  const user = await toUserPart(deps.identity, context, installationId, body);
  return {
    installationId,
    seq,
    takeover: body.takeover ?? null,
    ...(body.token !== undefined && { token: await tokenPart(deps, context.app, body.token) }),
    ...(user !== undefined && { user }),
    ...(device !== null && { device }),
  };
}

async function tokenPart(
  deps: InstallationPutDependencies,
  app: App,
  token: InstallationInput['token'],
): Promise<NonNullable<SyncInput['token']>> {
  const hash = contentHash(token);
  if (!token) return { claim: null, hash };
  const credentials = isComplete(token) ? [] : await deps.credentialsOf(app);
  const result = toAddress(token, credentials, deps.pushHosts);
  if (result.kind === 'invalid') throw fieldError(`/token${result.pointer}`, result.detail);
  const { address, assumesKey } = result;
  const claim = { address, key: addressKey(address), ...(assumesKey && { assumesKey }) };
  return { claim, hash };
}

function requireSynced(result: SyncResult): Synced {
  switch (result.kind) {
    case 'synced':
      return result;
    case 'forked':
      throw forkedError();
    case 'wrong_form':
      throw wrongFormError(result.accountMode);
    case 'token_held':
      throw new ApiError('token_held', 'repeat the request with this nonce as "takeover"', {
        members: { nonce: result.nonce, expires_at: result.expiresAt.toISOString() },
      });
    case 'token_challenged': {
      assert(result.asked !== null, 'whoever has a secret can echo');
      const { state, expiresAt } = result.asked;
      throw new ApiError('token_held', CHALLENGED[state], {
        members: { challenge: state, expires_at: expiresAt.toISOString() },
      });
    }
    case 'wrong_secret':
    case 'not_found':
    case 'user_mismatch':
    case 'removed':
      throw refusalError(result.kind);
  }
}

function wrongFormError(accountMode: App['accountMode']): ApiError {
  return accountMode === 'multi'
    ? fieldError('/user', 'several users may be signed in: send "users" with all of them')
    : fieldError('/users', 'one user is signed in at a time: send "user"');
}

/** What of the packet was stored all the same stands in the answer. */
function refusedProofError(
  { accountMode, refused: all }: Synced,
  refused: Synced['refused'][number],
  input: SyncInput,
  stored: Readonly<Record<string, unknown>>,
): ApiError {
  const members = {
    ...stored,
    ...(accountMode === 'multi' && { refused_users: all.map(({ userId }) => userId) }),
  };
  const claim = input.user?.claims.find(({ id }) => id === refused.userId);
  return claim?.proof.kind === 'unavailable'
    ? keysUnavailable(claim.proof.retryAfterSeconds, members)
    : new ApiError('assertion_invalid', refused.why, { members });
}

const CHALLENGED = {
  sent: 'repeat the request, as "takeover" with the nonce that comes as a silent push',
  waiting: 'others claim this token; repeat the request when "expires_at" has passed',
} as const;

function renderOutcomes(outcomes: Synced['outcomes']) {
  const applied: Record<string, boolean> = {};
  const reason: Record<string, string> = {};
  for (const [group, outcome] of Object.entries(outcomes)) {
    applied[group] = outcome === 'applied';
    if (outcome !== 'applied') reason[group] = outcome;
  }
  return { applied, reason };
}
