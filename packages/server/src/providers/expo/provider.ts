import assert from 'node:assert/strict';
import type { Clock } from '../../domain/clock.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { Push } from '../../domain/push.ts';
import type { Verification } from '../../domain/verification.ts';
import { problemOutcome } from '../payload-problem.ts';
import type { HearOutcome, Provider, ProviderLimits, Receipts, SendOptions } from '../provider.ts';
import { Suspects } from '../suspects.ts';
import { sendBatches, type BatchItem, type BatchSender } from './batch.ts';
import { ANSWER_TIMEOUT_MS, BATCH_PUSHES, ExpoConnection, IN_FLIGHT } from './connection.ts';
import { buildExpoMessage, EXPO_PAYLOAD_BYTES, measureExpoPayload } from './payload.ts';
import { createExpoReceipts } from './receipts.ts';
import { EXPO_ENDPOINTS } from './settings.ts';
import type { ExpoEndpoints, ExpoSettings } from './settings.ts';
import { verifyExpo } from './verify.ts';
import { TokenProjects } from './token-projects.ts';

export interface ExpoProviderOptions {
  readonly settings: ExpoSettings;
  /** Expo's own unless given. */
  readonly endpoints?: ExpoEndpoints;
  readonly clock: Clock;
  /** How long one request may wait for its answer before its outcomes are `unknown`. */
  readonly answerTimeoutMs?: number;
}

/** The provider for one Expo project, or for all that need no access token. */
export function createExpoProvider(options: ExpoProviderOptions): Provider {
  return new ExpoProvider(options);
}

class ExpoProvider implements Provider {
  readonly limits: ProviderLimits = {
    payloadBytes: EXPO_PAYLOAD_BYTES,
    inFlight: IN_FLIGHT,
    batch: BATCH_PUSHES,
  };
  readonly receipts: Receipts;
  readonly #clock: Clock;
  readonly #connection: ExpoConnection;
  readonly #sender: BatchSender;
  readonly #hasAccessToken: boolean;

  constructor(options: ExpoProviderOptions) {
    const { settings, clock } = options;
    const { endpoints = EXPO_ENDPOINTS, answerTimeoutMs = ANSWER_TIMEOUT_MS } = options;
    const { accessToken, project } = settings;
    this.#clock = clock;
    this.#hasAccessToken = accessToken !== null;
    this.#connection = new ExpoConnection({ endpoints, answerTimeoutMs, accessToken });
    this.#sender = {
      connection: this.#connection,
      project,
      projects: new TokenProjects(),
      suspects: new Suspects(),
      now: clock,
    };
    this.receipts = createExpoReceipts(this.#connection, clock);
  }

  /** An access token is used as it was given, so that there is nothing to prepare. */
  prepare(): Promise<Outcome | null> {
    return Promise.resolve(null);
  }

  measure(push: Push): number {
    return measureExpoPayload(push);
  }

  async send(pushes: readonly Push[], options: SendOptions, hear: HearOutcome): Promise<void> {
    const now = this.#clock();
    const items: BatchItem[] = [];
    for (const [place, push] of pushes.entries()) {
      assert(push.address.provider === 'expo', 'a push reaches the provider of its address');
      const build = buildExpoMessage(push, now);
      if (build.kind === 'problem') hear(place, problemOutcome(build));
      else items.push({ place, token: push.address.token, json: build.json });
    }
    await sendBatches(this.#sender, items, options, hear);
  }

  verify(signal: AbortSignal): Promise<Verification> {
    const { receipts } = this;
    return verifyExpo({ hasAccessToken: this.#hasAccessToken, receipts }, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
  }
}
