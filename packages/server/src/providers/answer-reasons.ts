import type { ProviderName } from '../domain/address.ts';
import type { AnswerReason } from '../domain/answer-reason.ts';
import type { OutcomeKind } from '../domain/outcome.ts';
import type { ReasonTable } from './reason.ts';

/** The catalogues of a provider by their names, such as that of where it gets its tokens from. */
export type ReasonTables = Readonly<Record<string, ReasonTable>>;

/** The rows of a provider's catalogues, to be shown. */
export function answerReasons(
  provider: ProviderName,
  tables: ReasonTables,
): readonly AnswerReason[] {
  return Object.entries(tables).flatMap(([source, table]) =>
    Object.entries(table).map(([key, { kind, meaning, fix }]) => {
      const [status = '', ...code] = key.split(' ');
      return { source, provider, status, code: code.join(' '), kind, meaning, fix };
    }),
  );
}

const WAIT = 'Wait: Homing tries again by itself.';

/** What happens to pushes before or without an answer, by our own codes. */
const OWN: readonly (readonly [OutcomeKind, string, string, string])[] = [
  [
    'payload',
    'payload_too_large',
    'the content is larger than the provider takes, so it was not sent',
    'Shorten the content.',
  ],
  [
    'payload',
    'reserved_data_key',
    'an entry of data has a name that the provider, or Homing, keeps for itself',
    'Rename the entry of data that the dry run names.',
  ],
  [
    'payload',
    'invalid_override',
    'the overrides hold what cannot be overridden, or cannot be sent',
    'Correct overrides as the page of the provider describes them.',
  ],
  [
    'payload',
    'invalid_request',
    'the request could not be written',
    'Look for unusual characters in overrides and in the token.',
  ],
  [
    'token_mismatch',
    'environment_not_configured',
    'the credential does not serve the environment of the token',
    'Add a credential for this environment.',
  ],
  [
    'auth',
    'topic_not_configured',
    'the credential does not name the topic of the token',
    'Add the bundle id to the topics of the credential.',
  ],
  [
    'token_mismatch',
    'project_not_configured',
    'the token is of another project than the credential',
    'Add a credential for the project of the token.',
  ],
  [
    'auth',
    'wrong_project',
    'none of the tokens is of the project that the credential names',
    'Correct the project of the credential.',
  ],
  ['transient', 'connect_failed', 'the provider could not be reached', WAIT],
  [
    'transient',
    'late',
    'the credential could not be made ready in time',
    'Look whether the database and the provider answer quickly.',
  ],
  [
    'transient',
    'provider_token_unavailable',
    'the token that authenticates requests could not be read from the database',
    'Look at the state of the database.',
  ],
  ['transient', 'token_endpoint_unreachable', 'the token endpoint could not be reached', WAIT],
  [
    'transient',
    'token_answer_unreadable',
    'the token endpoint answered without a token',
    'Look whether a proxy on the way to the token endpoint changes answers.',
  ],
  [
    'unknown',
    'NETWORK_AFTER_SEND',
    'the connection was lost after the push was written; it may have been taken',
    WAIT,
  ],
  ['unknown', 'TIMEOUT', 'no answer came in time; the push may have been taken', WAIT],
  [
    'unclassified',
    'cut_off',
    'the answer ended before its reason was read',
    'Look whether a proxy on the way to the provider cuts answers off.',
  ],
];

/** The same for every provider. */
export const OWN_REASONS: readonly AnswerReason[] = OWN.map(([kind, code, meaning, fix]) => ({
  source: 'homing',
  provider: null,
  status: '-',
  code,
  kind,
  meaning,
  fix,
}));
