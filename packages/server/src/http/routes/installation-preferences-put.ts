import { PreferencesAnswer, PreferencesInput } from '@homing/protocol';
import type { DevicePreferences } from '../../domain/installation.ts';
import { changePreferences } from '../../registry/preferences.ts';
import type { Database } from '../../store/sql.ts';
import type { Authenticator } from '../authenticate.ts';
import { contentHash } from '../canonical-json.ts';
import {
  InstallationPath,
  parseInstallationId,
  requireInstant,
  requireSeq,
  SeqQuery,
} from '../parameters.ts';
import { forkedError, refusalError } from '../registry-answer.ts';
import type { HttpServer } from '../server.ts';

export interface InstallationPreferencesDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
}

/** `PUT /v1/installations/{id}/preferences`: on, off, muted, or by category. */
export function installationPreferencesPut(
  server: HttpServer,
  deps: InstallationPreferencesDependencies,
): void {
  server.put(
    '/v1/installations/:installation_id/preferences',
    {
      schema: {
        params: InstallationPath,
        querystring: SeqQuery,
        body: PreferencesInput,
        response: { 200: PreferencesAnswer },
        summary: 'Switch notifications on, off, or by category, for this device',
        tags: ['installations'],
      },
    },
    async (request) => {
      const context = await deps.authenticator.limitedInstallation(request, 'installations:write');
      const id = parseInstallationId(request.params.installation_id);
      const result = await changePreferences(deps.db, context, id, {
        seq: requireSeq(context, request.query.seq, '/querystring/seq'),
        hash: contentHash(request.body),
        patch: toPatch(request.body),
      });
      if (result.kind === 'forked') throw forkedError();
      if (result.kind !== 'stored' && result.kind !== 'superseded') {
        throw refusalError(result.kind);
      }
      const { mode, mutedUntil, categories } = result.preferences;
      return {
        applied: result.kind === 'stored',
        seq: result.seq,
        preferences: { mode, muted_until: mutedUntil?.toISOString() ?? null, categories },
      };
    },
  );
}

function toPatch(body: PreferencesInput): Partial<DevicePreferences> {
  const { mode, muted_until: mutedUntil, categories } = body;
  return {
    ...(mode !== undefined && { mode }),
    ...(mutedUntil !== undefined && {
      mutedUntil: mutedUntil === null ? null : requireInstant(mutedUntil, '/muted_until'),
    }),
    ...(categories !== undefined && { categories }),
  };
}
