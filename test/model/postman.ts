import assert from 'node:assert/strict';
import type { ProvisionedApp } from '@homing/server';
import type { Entry } from '@homing/simulators';
import type { Network } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';
import type { Door } from './door.ts';

/** A push that a provider took: where it went and for whom its payload says that it is. */
export interface Push {
  readonly token: string;
  /** The addressee tag; null when the payload names nobody. */
  readonly rcpt: string | null;
  /** False for one of an earlier notification, which went out late or once more by itself. */
  readonly isOfRound: boolean;
}

interface Request {
  readonly app: ProvisionedApp;
  readonly users: readonly string[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The most users that one notification may name. */
const USERS_PER_NOTIFICATION = 1_000;

/**
 * Sends real notifications for many histories at once: whoever asks while a round is under way
 * shares the next one, in which all users are named together and the server is drained once.
 */
export class Postman {
  readonly #network: Network;
  readonly #door: Door;
  /** What reached each token and was not collected yet. */
  readonly #pushes = new Map<string, Push[]>();
  #waiting: Request[] = [];
  #isRunning = false;
  #read = 0;

  constructor(network: Network, door: Door) {
    this.#network = network;
    this.#door = door;
  }

  /** Sends to some users of an app, and resolves when nothing is left to send. */
  async send(app: ProvisionedApp, users: readonly string[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ app, users, resolve, reject });
    // The next turn of the event loop, so that histories that ask in one breath share the round.
    if (!this.#isRunning) {
      this.#isRunning = true;
      setImmediate(() => void this.#run());
    }
    return promise;
  }

  /** What reached a token since this was last asked. */
  collect(token: string): readonly Push[] {
    const pushes = this.#pushes.get(token) ?? [];
    this.#pushes.delete(token);
    return pushes;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const requests = this.#waiting;
      this.#waiting = [];
      try {
        await this.#round(requests);
        for (const { resolve } of requests) resolve();
      } catch (error) {
        for (const { reject } of requests) reject(error);
      }
    }
    this.#isRunning = false;
  }

  async #round(requests: readonly Request[]): Promise<void> {
    // What was registered before this round is older than its pushes, if only just, and there is a
    // moment in between.
    await this.#network.clock.advance(2);
    assert(
      this.#network.clock.now().getMilliseconds() !== 0,
      'the second of these histories is over',
    );
    const ids = new Set<string>();
    for (const [app, ofApp] of Map.groupBy(requests, (request) => request.app)) {
      const users = ofApp.flatMap((request) => request.users);
      for (let first = 0; first < users.length; first += USERS_PER_NOTIFICATION) {
        ids.add(await this.#notify(app, users.slice(first, first + USERS_PER_NOTIFICATION)));
      }
    }
    await this.#network.drain();
    this.#sort(ids);
  }

  async #notify(app: ProvisionedApp, users: readonly string[]): Promise<string> {
    const answer = await this.#door.request(
      'POST',
      '/v1/notifications',
      { authorization: `Bearer ${app.secretKey}` },
      { audience: { users }, content: { title: 'Parcel', body: 'It is on its way' } },
    );
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
    return answer.body['id'] as unknown as string;
  }

  #sort(ids: ReadonlySet<string>): void {
    const { journal } = this.#network;
    for (const entry of acceptedPushes(journal, this.#read)) {
      // What asks a device whose token is disputed for an echo is for nobody, and shows nothing.
      if (isChallenge(entry)) continue;
      const { token, rcpt, notification } = readPush(entry);
      const push = { token, rcpt, isOfRound: notification !== null && ids.has(notification) };
      this.#pushes.set(token, [...(this.#pushes.get(token) ?? []), push]);
    }
    this.#read = journal.counters.received;
  }
}

/** The part of a payload that is looked at, of FCM or of APNs. */
interface Payload {
  readonly message?: {
    readonly notification?: unknown;
    readonly data: {
      readonly homing_rcpt?: string;
      readonly homing_notification?: string;
      readonly homing_challenge?: string;
    };
  };
  readonly aps?: { readonly alert?: unknown };
  readonly homing?: { readonly rcpt?: string; readonly id?: string; readonly challenge?: string };
}

function isChallenge(entry: Entry): boolean {
  const { message, aps, homing } = entry.body as Payload;
  const nonce = message?.data.homing_challenge ?? homing?.challenge ?? null;
  const { rcpt } = readPush(entry);
  const isSilent = message?.notification === undefined && aps?.alert === undefined;
  return nonce !== null && rcpt === null && isSilent;
}

function readPush({ token, body }: Entry) {
  const { message, homing } = body as Payload;
  return {
    token: token ?? '',
    rcpt: message?.data.homing_rcpt ?? homing?.rcpt ?? null,
    notification: message?.data.homing_notification ?? homing?.id ?? null,
  };
}
