import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { createSeededRandom, type SeededRandom } from '../seeded-random.ts';
import { Diary } from './diary.ts';
import { chooseDeed, type Deed, type Habits } from './habits.ts';
import { Handset } from './handset.ts';
import { InstalledApp, type AppContents } from './installed-app.ts';
import type { Surroundings } from './surroundings.ts';
import { Wire } from './wire.ts';

export interface FleetPhoneOptions {
  readonly around: Surroundings;
  readonly index: number;
  readonly random: SeededRandom;
  readonly habits: Habits;
  /** The longest pause between two things that happen to it. */
  readonly longestPauseMs: number;
  /** Any phone of the fleet, this one included. */
  readonly anyPhone: () => FleetPhone;
}

/** What the registry has to hold for a phone when all is quiet. */
export interface Wanted {
  readonly userId: string | null;
  readonly token: { readonly value: string } | null;
  readonly permission: string;
}

/** A token that moves more often within a day is contested, which is another story. */
const REINSTALLS_PER_TOKEN = 2;
const LONGEST_OUTAGE_MS = 1_500;
const MOST_TURNS = 12;

/** A phone in somebody's hands: what people and systems do to it, one thing after the other. */
export class FleetPhone {
  readonly diary: Diary;
  readonly #options: FleetPhoneOptions;
  readonly #handset: Handset;
  readonly #wire: Wire;
  /** Of the app's own, so that what happens to the phone does not depend on what its app draws. */
  readonly #appRandom: SeededRandom;
  #app: InstalledApp;
  #tokenMoves = 0;
  #deeds = 0;
  #starts = 0;
  #shown = 0;

  constructor(options: FleetPhoneOptions) {
    const { around, index, random } = options;
    const bornAtMs = performance.now();
    this.#options = options;
    this.#appRandom = createSeededRandom(random.below(2 ** 32));
    this.diary = new Diary(`phone ${index}`, () => performance.now() - bornAtMs);
    this.#handset = new Handset(around.channel, () => this.#app.deliver());
    this.#wire = new Wire({
      url: around.url,
      address: `10.7.${index >> 8}.${index & 255}`,
      isOnline: () => this.#handset.isOnline,
      book: around.book,
      diary: this.diary,
      now: around.now,
      onAcknowledged: (packet) => this.#app.heed(packet),
    });
    this.#app = this.#installed(null);
    if (random.chance(0.2)) this.#handset.permission = 'granted';
  }

  get app(): InstalledApp {
    return this.#app;
  }

  get handset(): Handset {
    return this.#handset;
  }

  /** When its requests left, on the clock of `performance`. */
  get sentAtMs(): readonly number[] {
    return this.#wire.sentAtMs;
  }

  /** How many of them said something of the installation; receipts do not. */
  get statements(): number {
    return this.#wire.statements;
  }

  /** How many things happened that its client may tell the server of. */
  get causes(): number {
    return this.#deeds + this.#starts + this.#app.starts;
  }

  /** How many messages its clients said to show. */
  get shown(): number {
    return this.#shown + this.#app.shown.size;
  }

  get wanted(): Wanted {
    const handset = this.#handset;
    const isWanted = this.#app.wantsPushes && handset.mayShow();
    return {
      userId: this.#app.userId,
      token: isWanted ? handset.token : null,
      permission: handset.permission,
    };
  }

  /** The first start: the person may agree to pushes, and sign in. */
  async begin(): Promise<void> {
    await this.#begin(this.#options.random.pick(this.#options.around.users));
  }

  /** Things happen until the signal; what is begun comes to its end. */
  async live(signal: AbortSignal): Promise<void> {
    const { random, habits, longestPauseMs } = this.#options;
    while (!signal.aborted) {
      await delay(random.next() * longestPauseMs, null, { signal }).catch(() => null);
      if (signal.aborted) return;
      const deed = chooseDeed(random, habits);
      this.#deeds += 1;
      if (deed !== 'kill') await this.#app.run();
      await this.#do(deed);
    }
  }

  async #do(deed: Deed): Promise<void> {
    const { random, around } = this.#options;
    const anybody = (): string => random.pick(around.users);
    switch (deed) {
      case 'log_in':
        return this.#app.logIn(anybody());
      case 'log_out':
        return this.#app.logOut();
      case 'switch_twice':
        await Promise.all([this.#app.logIn(anybody()), this.#leaveOrSwitch()]);
        return;
      case 'renew_token':
        this.#tokenMoves = 0;
        return this.#app.renewToken();
      case 'kill':
        return this.#app.kill();
      case 'kill_amid_a_call':
        return this.#killAmidACall();
      case 'lose_network':
        return this.#loseNetwork();
      case 'change_permission':
        return this.#changePermission();
      case 'unsubscribe':
        this.#app.interrupt();
        return this.#app.unsubscribe();
      case 'subscribe':
        return this.#app.subscribe();
      case 'tag':
        return this.#app.tag({ plan: random.pick(['free', 'pro', 'team']) });
      case 'look':
        this.diary.note('looked at');
        return this.#app.wake();
      case 'reinstall':
        return this.#reinstall();
      case 'restore':
        return this.#restore();
      case 'copy':
        return this.#copy();
    }
  }

  async #leaveOrSwitch(): Promise<void> {
    const { random, around } = this.#options;
    if (random.chance(0.5)) await this.#app.logOut();
    else await this.#app.logIn(random.pick(around.users));
  }

  async #killAmidACall(): Promise<void> {
    const called = this.#leaveOrSwitch();
    for (let turns = this.#options.random.below(MOST_TURNS); turns > 0; turns -= 1) await turn();
    this.#app.kill();
    await called;
  }

  /** Some do something meanwhile. */
  async #loseNetwork(): Promise<void> {
    const { random, habits } = this.#options;
    this.#app.interruptRefresh();
    this.#handset.isOnline = false;
    this.diary.note('offline');
    if (habits.log_out !== undefined && random.chance(0.5)) await this.#leaveOrSwitch();
    await delay(random.next() * LONGEST_OUTAGE_MS);
    this.#handset.isOnline = true;
    this.diary.note('online');
    this.#app.wake();
    this.#app.deliver();
  }

  /** In the system's settings; the app learns of it when it is looked at again. */
  async #changePermission(): Promise<void> {
    this.#app.interrupt();
    this.#handset.permission = this.#handset.mayShow() ? 'denied' : 'granted';
    this.diary.note(`permission ${this.#handset.permission}`);
    this.#app.wake();
  }

  /** The app is deleted and installed again; some systems keep its token. */
  async #reinstall(): Promise<void> {
    const { random } = this.#options;
    this.diary.note('deleted and installed again');
    this.#tokenMoves += 1;
    const isKept = this.#tokenMoves <= REINSTALLS_PER_TOKEN && random.chance(0.5);
    if (!isKept) this.#tokenMoves = 0;
    this.#replaceApp(null);
    this.#handset.forgetApp(isKept ? 'token' : 'nothing');
    await this.#begin(random.pick(this.#options.around.users));
  }

  /** Another phone, restored from a backup of this or another one, which the memory is not in. */
  async #restore(): Promise<void> {
    const { anyPhone } = this.#options;
    const userId = anyPhone().app.userId;
    this.diary.note(`another phone, restored from a backup, of ${userId}`);
    this.#replaceApp(null);
    this.#handset.replace();
    this.#tokenMoves = 0;
    await this.#begin(userId);
  }

  /** The hostile form: this phone is another's in all but its hardware. */
  async #copy(): Promise<void> {
    const origin = this.#options.anyPhone();
    if (origin === this) return;
    const contents = origin.app.copyWhole();
    if (contents === null) return;
    origin.diary.note(`copied whole to ${this.diary.owner}`);
    this.diary.note(`became a copy of ${origin.diary.owner}`);
    this.#replaceApp(contents);
    this.#handset.replace();
    this.#tokenMoves = 0;
    this.#handset.permission = 'granted';
    await this.#app.run();
  }

  async #begin(userId: string | null): Promise<void> {
    const { random } = this.#options;
    await this.#app.run();
    if (random.chance(0.9)) await this.#app.subscribe();
    if (userId !== null && random.chance(0.8)) await this.#app.logIn(userId);
  }

  #replaceApp(contents: AppContents | null): void {
    this.#app.kill();
    this.#starts += this.#app.starts;
    this.#shown += this.#app.shown.size;
    this.#app = this.#installed(contents);
  }

  #installed(contents: AppContents | null): InstalledApp {
    const { diary } = this;
    const { transport } = this.#wire;
    const parts = { around: this.#options.around, handset: this.#handset, transport, diary };
    return new InstalledApp({ ...parts, random: this.#appRandom }, contents);
  }
}
