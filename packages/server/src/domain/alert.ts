/** What a person should look at, by kind; docs/lifecycle.md says when each opens and closes. */
export const ALERT_KINDS = [
  'mass_death_freeze',
  'credential_stopped',
  'credential_expiring',
  'token_contested',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** An alert before it is known whether one is open about this already. */
export interface AlertDraft {
  readonly appRef: number;
  readonly kind: AlertKind;
  /** What it is about, by internal reference: one alert of a kind is open for each subject. */
  readonly subject: string;
  /** For people: never a token, a user or content. */
  readonly detail: Readonly<Record<string, string | number>>;
}

/** What an alert is about. */
export type AlertSubject = Pick<AlertDraft, 'appRef' | 'kind' | 'subject'>;

/** The subject of alerts about a credential. */
export function credentialSubject(credentialRef: number): string {
  return `credential/${credentialRef}`;
}

const SENTENCES: Readonly<Record<AlertKind, string>> = {
  mass_death_freeze:
    'A provider called so many tokens dead, and took nothing, that none is retired any more. ' +
    'Check the credential, its topic and its environment.',
  credential_stopped:
    'A provider refuses a credential. What it serves waits until the credential is replaced.',
  credential_expiring:
    'A credential expires soon, and its provider takes nothing after that. Add a new one, verify it, ' +
    'and retire this one.',
  token_contested:
    'Installations keep claiming the same token from each other. Nothing for users goes to it until ' +
    'its device answers a push, or a day has passed without a claim.',
};

/** What an alert means and what to do about it, in plain words. */
export function alertSentence(kind: AlertKind): string {
  return SENTENCES[kind];
}
