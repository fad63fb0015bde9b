import { setTimeout as delay } from 'node:timers/promises';
import type { Transport } from '../../packages/client/src/core/ports.ts';
import type { PushClient, PushStatus } from '../../packages/client/src/core/push-client.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { AppProcess, type StoredText } from './app-process.ts';
import type { Diary } from './diary.ts';
import type { Handset } from './handset.ts';
import { Reception } from './reception.ts';
import { Session } from './session.ts';
import { Steadiness } from './steadiness.ts';
import type { Surroundings } from './surroundings.ts';
import { TokenRefresh } from './token-refresh.ts';
import type { AcknowledgedPacket } from './wire.ts';

export interface InstalledAppOptions {
  readonly around: Surroundings;
  readonly handset: Handset;
  readonly transport: Transport;
  readonly diary: Diary;
  readonly random: SeededRandom;
}

/** What of an app a hostile copy takes to another phone: everything. */
export interface AppContents {
  readonly stored: StoredText;
  readonly session: Session;
  readonly wantsPushes: boolean;
}

/** Of times that the system has no token, or the app's server no proof, while there are faults. */
const FAILURES = 0.04;
const PATIENCE_MS = 60_000;
const LOOK_MS = 100;

/**
 * An app on a phone from its installation to its end, with the model of what it wants. Whatever its
 * client does is held against that at once: who is signed in, what is shown and to whom.
 */
export class InstalledApp {
  readonly #options: InstalledAppOptions;
  readonly #stored: StoredText;
  readonly #session: Session;
  readonly #steadiness = new Steadiness();
  readonly #reception: Reception;
  readonly #refresh: TokenRefresh;
  #wantsPushes: boolean;
  #process: AppProcess | null = null;
  #starting: Promise<void> | null = null;
  #callsUnderWay = 0;
  #calls = 0;
  #starts = 0;
  /** By what the server first answered; null before that. */
  #installationId: string | null = null;
  /** Another phone has the same memory, or had it. */
  #isCopied = false;
  #isEnded = false;

  /** Without contents nothing of it was ever on the phone. */
  constructor(options: InstalledAppOptions, contents: AppContents | null = null) {
    this.#options = options;
    this.#refresh = new TokenRefresh(options.around);
    this.#isCopied = contents !== null;
    this.#stored = { text: contents?.stored.text ?? null };
    this.#session = new Session([...(contents?.session.possible ?? [null])]);
    this.#wantsPushes = contents?.wantsPushes ?? true;
    const { around, handset, diary, random } = options;
    const parts = { around, handset, diary, random };
    const [session, steadiness] = [this.#session, this.#steadiness];
    this.#reception = new Reception({ ...parts, session, steadiness });
  }

  /** Whom the app wants signed in; null for nobody. */
  get userId(): string | null {
    return this.#session.wanted;
  }

  get wantsPushes(): boolean {
    return this.#wantsPushes;
  }

  get starts(): number {
    return this.#starts;
  }

  /** What its client said to show, by the numbers of the messages. */
  get shown(): ReadonlySet<number> {
    return this.#reception.shown;
  }

  /**
   * Whether the server knew then, on the clock of `performance`, the user and the token that are
   * there now, and nothing has changed since.
   */
  wasKnownAt(atMs: number): boolean {
    return this.#steadiness.covers(atMs);
  }

  /** Everything, for another phone; null while a call is under way or after another copy. */
  copyWhole(): AppContents | null {
    if (this.#callsUnderWay > 0 || this.#isCopied) return null;
    this.#isCopied = true;
    this.#steadiness.change();
    return { stored: this.#stored, session: this.#session, wantsPushes: this.#wantsPushes };
  }

  /** Starts it where it does not run; resolves when it has started, or was killed amid that. */
  async run(): Promise<void> {
    if (this.#process !== null || this.#isEnded) return;
    this.#starting ??= this.#start().finally(() => {
      this.#starting = null;
    });
    await this.#starting;
  }

  kill(): void {
    this.#options.diary.note('killed');
    this.#process?.kill();
    this.#process = null;
    this.#refresh.interrupt();
  }

  async logIn(userId: string): Promise<void> {
    const { app, issuer } = this.#options.around;
    await this.#ask(userId, (client) =>
      client.login(userId, {
        assertion: async (installationId) => {
          if (this.#fails()) throw new Error("The app's own server does not answer.");
          return issuer.sign(app.id, userId, { installationId });
        },
      }),
    );
  }

  async logOut(): Promise<void> {
    await this.#ask(null, (client) => client.logout());
  }

  async subscribe(): Promise<void> {
    this.#wantsPushes = true;
    await this.#do('subscribe', (client) => client.subscribe());
  }

  async unsubscribe(): Promise<void> {
    this.#wantsPushes = false;
    await this.#do('unsubscribe', (client) => client.unsubscribe());
  }

  async tag(tags: Readonly<Record<string, string>>): Promise<void> {
    await this.#do(`tags ${JSON.stringify(tags)}`, (client) => client.setTags(tags));
  }

  /** The app comes to the foreground, or the network is back. */
  wake(): void {
    this.#process?.client.wake();
  }

  /** The system gives another token, to the app where it runs. */
  renewToken(): void {
    const { handset, diary } = this.#options;
    this.#steadiness.change();
    const token = handset.renewToken();
    diary.note(`another token ${token.value.slice(0, 8)}`);
    const isAwaited = this.#process !== null && this.#isReachable();
    if (isAwaited) this.#refresh.begin(token.value);
  }

  /** Nobody can take the time of a refresh while the person is in its way. */
  interruptRefresh(): void {
    this.#refresh.interrupt();
  }

  /** The system changes what the app may do. */
  interrupt(): void {
    this.#steadiness.change();
    this.interruptRefresh();
  }

  /** The pushes that wait are handed to the app, if it runs; one in two starts it. */
  deliver(): void {
    const { handset, random } = this.#options;
    const process = this.#process;
    if (process === null) {
      if (handset.isOnline && random.chance(0.5)) void this.run();
      return;
    }
    this.#reception.takeAll(process);
  }

  /** The server took what this phone said. */
  heed({ installationId, userId, token, sentAtMs }: AcknowledgedPacket): void {
    const { handset } = this.#options;
    this.#checkInstallation(installationId);
    if (typeof token === 'string') this.#refresh.acknowledge(token);
    const isWanted = userId === this.userId && token === handset.token?.value;
    if (!isWanted || userId === null || this.#isCopied || this.#callsUnderWay > 0) return;
    // A packet that was repeated after a denial still has the token that the next one takes back.
    if (!this.#wantsPushes || !handset.mayShow()) return;
    this.#steadiness.confirm(sentAtMs);
  }

  /** Like the next morning: the app is started anew, and comes to rest; null when it does not. */
  async restart(): Promise<PushStatus | null> {
    this.kill();
    await this.run();
    const { userId } = this;
    if (userId !== null) await this.logIn(userId);
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const status = await this.#settled();
      if (status?.registered === true && !status.logoutPending) return status;
      if (performance.now() > deadline) {
        this.#accuse(`never came to rest: ${JSON.stringify(status)}`);
        return null;
      }
      await delay(LOOK_MS);
      this.wake();
    }
  }

  /** Null where the app does not run. */
  async installationId(): Promise<string | null> {
    const answer = await this.#process?.call((client) => client.status());
    return answer?.value.installationId ?? null;
  }

  /** Resolves when all pushes that came are dealt with. */
  async rest(): Promise<void> {
    await this.#reception.rest();
  }

  /** Where the server holds something else than the client wants, by its own check. */
  async differences(): Promise<readonly string[]> {
    const checked = await this.#process?.call((client) => client.selfCheck());
    return checked?.value?.differences ?? ['no answer'];
  }

  /** As an app ends its client, or as it is deleted; nothing starts it again. */
  async end(): Promise<void> {
    this.#isEnded = true;
    await this.#process?.client[Symbol.asyncDispose]();
    this.kill();
  }

  async #settled(): Promise<PushStatus | null> {
    await this.#process?.call((client) => client.settled());
    return (await this.#process?.call((client) => client.status()))?.value ?? null;
  }

  async #start(): Promise<void> {
    const { around, handset, transport, diary, random } = this.#options;
    this.#starts += 1;
    diary.note('started');
    const process = new AppProcess({
      handset,
      stored: this.#stored,
      transport,
      key: around.app.publishableKey,
      now: around.now,
      random,
      failsToken: () => this.#fails(),
      onMisuse: (what) => this.#accuse(what),
    });
    this.#process = process;
    const { client } = process;
    client.on('signed_out', ({ userId, why }) => this.#onSignedOut(process, userId, why));
    client.on('error', ({ code, detail }) => diary.note(`error ${code} ${detail}`));
    client.on('token_error', ({ code }) => diary.note(`token error ${code}`));
    if ((await process.call(() => client.start())) === null) return;
    await this.#checkUser(process);
    this.deliver();
  }

  /** Nothing but the loss of its memory, or another copy of it, is a reason to enrol anew. */
  #checkInstallation(id: string): void {
    this.#installationId ??= id;
    if (id === this.#installationId || this.#isCopied) return;
    this.#accuse(`enrolled anew, although ${this.#installationId} was as good`);
  }

  /** Nobody but another copy of the same memory ends a session that the app did not end. */
  #onSignedOut(process: AppProcess, userId: string, why: string): void {
    this.#options.diary.note(`${userId} was signed out: ${why}`);
    if (!this.#isCopied) this.#accuse(`${userId} was signed out by nobody: ${why}`);
    this.#steadiness.change();
    this.#session.doubt();
    void this.#checkUser(process);
  }

  /** Has the client sign in, or out, and holds it to that. */
  async #ask(userId: string | null, work: (client: PushClient) => Promise<void>): Promise<void> {
    const process = this.#process;
    if (process === null) return;
    const begunAtMs = performance.now();
    if (userId !== this.userId || this.#session.possible.size > 1) this.#steadiness.change();
    const wish = this.#session.ask(userId);
    const isKept = await this.#do(userId === null ? 'log out' : `log in ${userId}`, work);
    if (isKept) this.#session.keep(wish);
    if (isKept) this.#reception.checkScreen(begunAtMs);
    await this.#checkUser(process);
  }

  /** False where the app was killed before the call resolved. */
  async #do(what: string, work: (client: PushClient) => Promise<unknown>): Promise<boolean> {
    const process = this.#process;
    if (process === null) return false;
    this.#options.diary.note(what);
    this.#calls += 1;
    this.#callsUnderWay += 1;
    try {
      return (await process.call(work)) !== null;
    } catch (error) {
      this.#accuse(`"${what}" was refused: ${String(error)}`);
      return true;
    } finally {
      this.#callsUnderWay -= 1;
    }
  }

  /** While nothing is under way the client has to say what the model says. */
  async #checkUser(process: AppProcess): Promise<void> {
    for (;;) {
      const calls = this.#calls;
      if (this.#callsUnderWay > 0) return;
      const status = await process.call((client) => client.status());
      if (status === null) return;
      if (calls !== this.#calls || this.#callsUnderWay > 0) continue;
      const [userId = null] = status.value.users;
      const isPossible = this.#session.possible.has(userId) || (this.#isCopied && userId === null);
      if (!isPossible) this.#accuse(`${userId} is signed in, not ${this.userId}`);
      this.#session.settle(userId);
      return;
    }
  }

  /** Whether the client can, and shall, tell the server of a token. */
  #isReachable(): boolean {
    const { handset } = this.#options;
    return this.#wantsPushes && handset.mayShow() && handset.isOnline;
  }

  #fails(): boolean {
    const { around, random } = this.#options;
    return around.conditions() === 'faults' && random.chance(FAILURES);
  }

  #accuse(what: string): void {
    const { around, diary } = this.#options;
    around.violations.add(diary, what);
  }
}
