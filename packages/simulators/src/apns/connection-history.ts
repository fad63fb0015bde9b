import type { Connection } from '../connection.ts';
import type { ApnsReason } from './answers.ts';
import type { ClientCertificate } from './certificate.ts';
import type { ApnsKnobs } from './knobs.ts';
import type { ProviderToken } from './provider-token.ts';

const MIN_TOKEN_LIFE_MS = 20 * 60_000;
const UNAUTHENTICATED_STREAMS = 1;

/** What APNs remembers of one connection: who it belongs to and how it has behaved. */
export class ConnectionHistory {
  readonly certificate: ClientCertificate | null;
  readonly #connection: Connection;
  readonly #knobs: ApnsKnobs;
  #accepted: { readonly text: string; readonly token: ProviderToken; sinceMs: number } | null =
    null;
  #hasExpired = false;
  #badDeviceTokens = 0;
  #streams = UNAUTHENTICATED_STREAMS;

  constructor(connection: Connection, certificate: ClientCertificate | null, knobs: ApnsKnobs) {
    this.#connection = connection;
    this.certificate = certificate;
    this.#knobs = knobs;
    if (certificate?.isTrusted === true) this.#allowStreams(knobs.maxConcurrentStreams);
  }

  get isWedged(): boolean {
    return this.#hasExpired && this.#knobs.wedgesAfterExpiredToken;
  }

  /** Notes that an expired token came, which some connections never recover from. */
  tokenExpired(): void {
    this.#hasExpired = true;
  }

  /**
   * Takes a verified token for this connection. The first one binds it to a team and a key, and
   * is what lifts the limit of one stream. A newer one is taken after 20 minutes at the earliest.
   */
  present(text: string, token: ProviderToken, nowMs: number): ApnsReason | null {
    const previous = this.#accepted;
    if (previous?.text === text) return null;
    if (previous !== null) {
      if (previous.token.key.teamId !== token.key.teamId) return 'InvalidProviderToken';
      if (previous.token.key.keyId !== token.key.keyId) return 'UnrelatedKeyIdInToken';
      if (nowMs - previous.sinceMs < MIN_TOKEN_LIFE_MS) return 'TooManyProviderTokenUpdates';
    }
    this.#accepted = { text, token, sinceMs: nowMs };
    if (previous === null) this.#allowStreams(this.#knobs.maxConcurrentStreams);
    return null;
  }

  /** Draws the consequences of an answer for the connection. 410 never counts as an error. */
  answered(status: number, reason: string | null): void {
    if (reason === 'BadDeviceToken') this.#countBadDeviceToken();
    if (!this.#knobs.dropsStreamsAfterError || status === 410) return;
    const isTrusted = this.#accepted !== null || this.certificate?.isTrusted === true;
    const isGood = status === 200 && isTrusted;
    this.#allowStreams(isGood ? this.#knobs.maxConcurrentStreams : UNAUTHENTICATED_STREAMS);
  }

  #countBadDeviceToken(): void {
    this.#badDeviceTokens += 1;
    if (this.#badDeviceTokens === this.#knobs.closesAfterBadDeviceTokens) {
      this.#connection.goaway({ reason: 'BadDeviceToken' });
    }
  }

  #allowStreams(streams: number): void {
    if (streams === this.#streams) return;
    this.#streams = streams;
    this.#connection.setMaxConcurrentStreams(streams);
  }
}
