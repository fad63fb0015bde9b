import type { ProviderName } from '../domain/address.ts';
import type { Clock } from '../domain/clock.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { RetryPolicy } from '../domain/retry-policy.ts';
import type { OpenProvider, Provider } from '../providers/provider.ts';
import {
  admission,
  asked,
  CLOSED,
  learned,
  type Admission,
  type BreakerEvent,
  type BreakerState,
} from './breaker.ts';
import { JudgingPace } from './judging-pace.ts';
import { lessonOf } from './lesson.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { Room } from './room.ts';
import { StopReport, type LaneObserver } from './stop-report.ts';

/** What a lane needs beside its provider. */
export interface LaneSurroundings {
  readonly observer: LaneObserver;
  readonly random: () => number;
  readonly limiter: RateLimiter | null;
}

const TOO_LATE: Outcome = { kind: 'transient', code: 'late', status: null, retryAfterMs: null };

/** A push that was let through, and what came of it. */
export interface Learning {
  readonly outcome: Outcome;
  readonly host: string;
  readonly isProbe: boolean;
  readonly now: Date;
}

/**
 * The flow of one credential: how many of its pushes are under way, how fast they go, and what
 * keeps them from going. The credential has a breaker, and each host of its provider has one. What
 * waits for a breaker burns no attempt, and no other host and no other lane notices.
 */
export class Lane {
  readonly credentialRef: number;
  readonly name: ProviderName;
  readonly provider: Provider;
  readonly policy: RetryPolicy;
  readonly limiter: RateLimiter | null;
  readonly room: Room;
  readonly #random: () => number;
  readonly #observer: LaneObserver;
  readonly #report: StopReport;
  readonly #hostReports = new Map<string, StopReport>();
  #credential: BreakerState = CLOSED;
  readonly #hosts = new Map<string, BreakerState>();
  readonly #lowering = new Set<Promise<void>>();
  readonly #judgingPace = new JudgingPace();
  /** On the scale of `performance.now()`. */
  readonly #heardAt = new Map<string, number>();

  constructor(credentialRef: number, open: OpenProvider, surroundings: LaneSurroundings) {
    this.credentialRef = credentialRef;
    this.name = open.name;
    this.provider = open.provider;
    this.policy = open.policy;
    this.limiter = surroundings.limiter;
    this.room = new Room(open.provider.limits.inFlight);
    this.#random = surroundings.random;
    this.#observer = surroundings.observer;
    this.#report = new StopReport({ credentialRef, host: null }, surroundings.observer);
  }

  /** When the credential can be used again; null when it can, or when a push may find out. */
  pausedUntil(now: Date): Date | null {
    const verdict = admission(this.#credential, now.getTime());
    return verdict.kind === 'wait' ? new Date(verdict.until) : null;
  }

  /**
   * Whether a chunk is not worth a lease: nothing can go, to no host, and what waits was judged not
   * long ago, or is about to be when the answer to a probe is in.
   */
  isLeftAlone(now: Date): boolean {
    const nowMs = now.getTime();
    const hosts = [...this.#hosts.values()];
    const isClosed = hosts.length === 0 || hosts.some(({ kind }) => kind === 'closed');
    if (isClosed && this.#credential.kind === 'closed') this.#judgingPace.reset();
    const waits = (state: BreakerState): boolean => admission(state, nowMs).kind === 'wait';
    const areHostsShut = hosts.length > 0 && hosts.every(waits);
    if (!waits(this.#credential) && !areHostsShut) return false;
    const shut = waits(this.#credential) ? [this.#credential] : hosts;
    const pauses = shut.filter((state) => state.kind === 'open').map(({ until }) => until);
    if (pauses.length < shut.length) return true;
    return !this.#judgingPace.allows(Math.min(...pauses), nowMs);
  }

  /** When a push to this host may go again; a second from now when nothing is in its way. */
  opensAt(host: string, now: Date): Date {
    const states = [this.#hosts.get(host) ?? CLOSED, this.#credential];
    const waits = states.map((state) => admission(state, now.getTime()));
    const until = waits.map((one) => (one.kind === 'wait' ? one.until : 0));
    return new Date(Math.max(now.getTime() + LIMITS.probePatienceMs, ...until));
  }

  /**
   * Makes the credential usable; false, and the lane closed, when that fails or takes longer than a
   * moment: whoever waited for it would keep the work of other lanes from being taken up.
   */
  async makeReady(clock: Clock, signal: AbortSignal): Promise<boolean> {
    const tooLate = Promise.withResolvers<Outcome>();
    const timer = setTimeout(() => tooLate.resolve(TOO_LATE), LIMITS.prepareMs);
    const obstacle = await Promise.race([this.provider.prepare(signal), tooLate.promise]);
    clearTimeout(timer);
    if (obstacle === null) return true;
    await this.close(obstacle, clock());
    return false;
  }

  /** Whether one push to this host may go now. What may go is expected to be told of. */
  admit(host: string, now: Date): Admission {
    const nowMs = now.getTime();
    const state = this.#hosts.get(host) ?? CLOSED;
    const [ofHost, ofCredential] = [admission(state, nowMs), admission(this.#credential, nowMs)];
    // Neither is asked for what the other one keeps from going.
    if (ofHost.kind === 'wait') return ofHost;
    if (ofCredential.kind === 'wait') return ofCredential;
    if (ofHost.kind === 'probe') this.#hosts.set(host, asked(state, nowMs));
    if (ofCredential.kind === 'probe') this.#credential = asked(this.#credential, nowMs);
    return ofHost.kind === 'probe' ? ofHost : ofCredential;
  }

  /**
   * Takes note of what came of a push. False: it was no attempt, and only says that the lane or the
   * host cannot be used at the moment.
   */
  heed({ outcome, host, isProbe, now }: Learning): boolean {
    const credential = this.#credential;
    const trips = credential.kind === 'closed' ? 0 : credential.trips;
    const lesson = lessonOf(outcome, { isProbe, trips, policy: this.policy });
    if (lesson.host.kind !== 'unasked') this.#heardAt.set(host, performance.now());
    this.#noteHost(host, lesson.host, now);
    this.#noteCredential(lesson.credential, now);
    if (outcome.kind === 'auth' && outcome.scope === 'host') {
      this.#reportOf(host).refused(outcome.code);
    }
    // Where there are receipts, a push that is taken proves nothing yet.
    if (outcome.kind === 'accepted' && this.provider.receipts === undefined) {
      this.#report.accepted(now);
      this.#reportOf(host).accepted(now);
    }
    if (lesson.credential.kind === 'fault') {
      if (outcome.kind === 'auth') this.#report.refused(outcome.code);
      if (outcome.kind === 'throttled' && credential.kind !== 'open') this.#slowDown();
    }
    return lesson.isAttempt;
  }

  /** A receipt says that a push went through: the credential works. */
  confirmed(now: Date): void {
    this.#report.accepted(now);
  }

  /** Resolves when what was learned so far is recorded: alerts, and the rate that it may use. */
  async recorded(): Promise<void> {
    const reports = [this.#report, ...this.#hostReports.values()];
    await Promise.all([...reports.map((report) => report.told()), ...this.#lowering]);
  }

  /** Closes the credential for a while, because of what kept all pushes from being offered. */
  async close(obstacle: Outcome, now: Date): Promise<void> {
    if (obstacle.kind === 'auth') {
      const { credential } = lessonOf(obstacle, { isProbe: false, trips: 0, policy: this.policy });
      this.#noteCredential(credential, now);
      this.#report.refused(obstacle.code);
      return this.#report.told();
    }
    const pauseMs = 'retryAfterMs' in obstacle ? obstacle.retryAfterMs : null;
    this.#noteCredential({ kind: 'fault', pauseMs }, now);
  }

  /**
   * Nothing of a slice could be started on this host. Where the host has not answered anything else
   * either since then, which is on the scale of `performance.now()`, it is out of reach.
   */
  stalled(host: string, sinceMs: number, now: Date): void {
    if ((this.#heardAt.get(host) ?? -Infinity) >= sinceMs) return;
    this.#noteHost(host, { kind: 'fault', pauseMs: null }, now);
  }

  #reportOf(host: string): StopReport {
    const { credentialRef } = this;
    const known = this.#hostReports.get(host);
    const report = known ?? new StopReport({ credentialRef, host }, this.#observer);
    if (known === undefined) this.#hostReports.set(host, report);
    return report;
  }

  #slowDown(): void {
    const lowered = this.#lowerRate().finally(() => this.#lowering.delete(lowered));
    this.#lowering.add(lowered);
  }

  /** A failure of this must not lose the outcome that it came with. */
  async #lowerRate(): Promise<void> {
    try {
      await this.limiter?.lower();
    } catch (error) {
      this.#observer.failed(error);
    }
  }

  #noteHost(host: string, event: BreakerEvent, now: Date): void {
    const state = this.#hosts.get(host) ?? CLOSED;
    this.#hosts.set(host, learned(state, event, now.getTime(), this.#random));
  }

  #noteCredential(event: BreakerEvent, now: Date): void {
    this.#credential = learned(this.#credential, event, now.getTime(), this.#random);
  }
}
