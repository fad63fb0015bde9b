import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { createLogger, LIMITS, type NewAppRequest, type ProvisionedApp } from '@homing/server';
import { assertAnswered } from '../answered.ts';
import { BackEnd } from '../back-end.ts';
import { createFrozenClock } from '../clock.ts';
import { assertConserved } from '../conservation.ts';
import { Device } from '../device.ts';
import { startNetwork, type Network, type NetworkOptions } from '../network.ts';
import type { Consequence } from './consequence.ts';

/** A provider as these tests use it: addresses that it serves, and a simulator that plays it. */
export interface AnsweringProvider<Token> {
  /** Its names in the catalogue of answers. */
  readonly names: readonly string[];
  /** What the network needs beside what every test has. */
  readonly network?: NetworkOptions;
  /** What the app of each case gets; the simulators know it. */
  credentials(network: Network): NewAppRequest['credentials'];
  /** A token that nobody has reported yet, as a device registers it. */
  register(network: Network): Token;
  /** What the journal lists pushes to this token under. */
  nameOf(token: Token): string;
  /** From now on the simulator takes everything, also for this token. */
  recover(network: Network, token: Token): void;
}

/** One answer, how the simulator comes to give it, and what is to become of it. */
export interface AnswerCase<Token> {
  /** The row of the catalogue: `STATUS CODE`, with `*` for any and `-` for no answer at all. */
  readonly row: string;
  /** What tells it from other cases of the same row. */
  readonly when?: string;
  /** Whether the provider took a push to this token before. Default: it was never asked. */
  readonly hasWorked?: boolean;
  /** Has the simulator give the answer to this token. */
  tell(told: Told<Token>): void | Promise<void>;
  readonly expect: Consequence;
  /** For what waits or is tried again: by when it is accepted once the provider has recovered. */
  readonly recoversWithinMs?: number;
}

/** Whom a case tells what to answer, and about which token. */
export interface Told<Token> {
  readonly network: Network;
  readonly token: Token;
  /** What the journal lists it under. */
  readonly name: string;
}

/**
 * Registers one test for each case, which share a network. Each has an app of its own, and with it
 * a credential and a lane, so that what one answer stops or slows down is in no other's way. Time
 * stands, so that no retry comes due before it was looked at.
 */
export function describeAnswers<Token>(
  provider: AnsweringProvider<Token>,
  cases: readonly AnswerCase<Token>[],
): void {
  describe(`an answer of ${provider.names.join(' or ')}`, () => {
    let network: Network;
    before(async () => {
      network = await startNetwork({
        clock: createFrozenClock(),
        overrides: { random: () => 0.5 },
        logger: createLogger('silent'),
        ...provider.network,
      });
    });
    after(() => network[Symbol.asyncDispose]());

    it('has a case for each row of the catalogue, and for no other', () => {
      const rows = new Set(cases.map(({ row }) => row));
      assert.deepEqual([...rows].toSorted(), catalogueRows(provider.names));
    });

    for (const one of cases) {
      it(titleOf(one), () => runCase(network, provider, one));
    }
  });
}

function titleOf<Token>({ row, when, expect }: AnswerCase<Token>): string {
  const { delivery, reason, token, others } = expect;
  const outcome = reason === null ? delivery : `${delivery} (${reason})`;
  return `${row}${when === undefined ? '' : `, ${when}`}: ${outcome}, token ${token}, others ${others}`;
}

interface CatalogueRow {
  readonly provider: string;
  readonly status: number | string | null;
  readonly code: string;
}

const CATALOGUE = new URL('../../packages/server/test/data/provider-errors.json', import.meta.url);

function catalogueRows(providers: readonly string[]): readonly string[] {
  const rows = JSON.parse(readFileSync(CATALOGUE, 'utf8')) as readonly CatalogueRow[];
  const own = rows.filter(({ provider }) => providers.includes(provider));
  return [...new Set(own.map(({ status, code }) => `${status ?? '-'} ${code}`))].toSorted();
}

/** What was registered for one case: the device that is answered about, and another one. */
interface Stage<Token> {
  readonly network: Network;
  readonly provider: AnsweringProvider<Token>;
  readonly app: ProvisionedApp;
  readonly backEnd: BackEnd;
  readonly device: Device;
  readonly token: Token;
}

const FOLLOWS_MS = 5_000;

const [TOLD, OTHER] = ['anna', 'ben'] as const;

async function runCase<Token>(
  network: Network,
  provider: AnsweringProvider<Token>,
  one: AnswerCase<Token>,
): Promise<void> {
  const stage = await setStage(network, provider);
  const { token } = stage;
  const name = provider.nameOf(token);
  if (one.hasWorked === true) assert.equal((await sendTo(stage, TOLD)).delivery, 'accepted');
  const before = network.journal.counters.received;
  await one.tell({ network, token, name });
  try {
    const { id, ...told } = await sendTo(stage, TOLD);
    const requests = network.journal.entries({ token: name, after: before }).length;
    const { delivery: other } = await sendTo(stage, OTHER);
    const observed: Consequence = {
      ...told,
      token: await statusOf(stage),
      requests,
      alerts: await openAlerts(stage),
      others: other === 'accepted' ? 'go on' : 'wait',
    };
    assert.deepEqual(observed, one.expect);
    provider.recover(network, token);
    if (one.recoversWithinMs !== undefined) await seeRecovery(stage, id, one.recoversWithinMs);
  } finally {
    // The simulators are the next case's as well.
    provider.recover(network, token);
  }
}

async function setStage<Token>(
  network: Network,
  provider: AnsweringProvider<Token>,
): Promise<Stage<Token>> {
  const app = await network.provision({ credentials: provider.credentials(network) });
  const backEnd = new BackEnd(network.url, app.secretKey);
  const device = new Device(network.url, app, network.issuer);
  const token = provider.register(network);
  assertAnswered(await device.register(token, TOLD), 201);
  const other = new Device(network.url, app, network.issuer);
  assertAnswered(await other.register(provider.register(network), OTHER), 201);
  // So long ago that a provider's word on a dead token cannot be older than a check-in.
  await network.clock.advance(2 * LIMITS.checkInMs);
  return { network, provider, app, backEnd, device, token };
}

/** Sends, drains, and reads what became of the one delivery. */
async function sendTo<Token>({ network, backEnd }: Stage<Token>, user: string) {
  const id = await backEnd.sendToUsers([user]);
  await network.drain();
  return { id, ...(await deliveryOf(backEnd, id)) };
}

/** From the report and the ledger, which have to agree; what waits in its chunk has no row. */
async function deliveryOf(
  backEnd: BackEnd,
  id: string,
): Promise<Pick<Consequence, 'delivery' | 'reason' | 'code'>> {
  const report = await backEnd.report(id);
  assertConserved(report);
  const { expected, ...counts } = report['counts'] as unknown as Readonly<Record<string, number>>;
  assert.equal(expected, 1);
  const state = Object.keys(counts).find((name) => counts[name] === 1);
  const rows: readonly unknown[] = await backEnd.deliveries(id);
  const row = (rows[0] ?? { state, reason: null, code: null }) as LedgerRow;
  assert.equal(row.state, state);
  return { delivery: row.state, reason: row.reason, code: row.code };
}

interface LedgerRow {
  readonly state: Consequence['delivery'];
  readonly reason: string | null;
  readonly code: string | null;
}

async function statusOf<Token>({ backEnd, device }: Stage<Token>): Promise<Consequence['token']> {
  const { status } = await backEnd.installation(device.id);
  return status as unknown as Consequence['token'];
}

async function openAlerts<Token>({ backEnd }: Stage<Token>): Promise<readonly string[]> {
  const answer = await backEnd.get('/v1/alerts?open=true');
  assertAnswered(answer, 200);
  const alerts = answer.body['data'] as unknown as readonly { readonly kind: string }[];
  return alerts.map(({ kind }) => kind);
}

/** Nothing has to be done by hand: the delivery goes out, and what was raised is closed. */
async function seeRecovery<Token>(stage: Stage<Token>, id: string, ms: number): Promise<void> {
  await stage.network.clock.advance(ms);
  await stage.network.drain();
  // Where both devices waited, one of them asked for the other, which follows within moments.
  await stage.network.clock.advance(FOLLOWS_MS);
  await stage.network.drain();
  assert.deepEqual(await deliveryOf(stage.backEnd, id), {
    delivery: 'accepted',
    reason: null,
    code: null,
  });
  assert.equal(await statusOf(stage), 'active');
  assert.deepEqual(await openAlerts(stage), []);
}
