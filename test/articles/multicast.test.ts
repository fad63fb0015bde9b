import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAnswered } from '../answered.ts';
import { fcmToken } from '../device.ts';
import { startNetwork, type Network } from '../network.ts';
import { tokens, tokensReached } from '../pushes.ts';
import { articleIsMissing } from './article.ts';
import { callDeclared, runBlock } from './run-block.ts';

const SEND_NOTIFICATION_TO_USER = 13;
const LONGEST_DELAY_MS = 120_000;

/** The same four phones for both: one is reachable, one is gone, two have to wait. */
const GOOD = fcmToken();
const GONE = fcmToken();
const UNAVAILABLE = fcmToken();
const THROTTLED = fcmToken();
const FOUR = [GOOD, GONE, UNAVAILABLE, THROTTLED];

const ERROR_CODES: ReadonlyMap<string, string> = new Map([
  [GONE.value, 'messaging/registration-token-not-registered'],
  [UNAVAILABLE.value, 'messaging/server-unavailable'],
  [THROTTLED.value, 'messaging/quota-exceeded'],
]);

/** What the loop finds in place of firebase-admin: FCM's answers for the four tokens. */
const admin = {
  messaging: () => ({
    sendMulticast(message: { readonly tokens: readonly string[] }) {
      const responses = message.tokens.map((token) => {
        const code = ERROR_CODES.get(token);
        return code === undefined ? { success: true } : { success: false, error: { code } };
      });
      const failureCount = responses.filter(({ success }) => !success).length;
      return Promise.resolve({ responses, failureCount });
    },
  }),
};

test(
  "the article's loop throws away tokens that only had to wait",
  { skip: articleIsMissing },
  async () => {
    const table = new Set(FOUR.map(({ value }) => value));
    Object.assign(globalThis, {
      require: () => admin,
      db: {
        query(text: string, [value]: readonly [string | readonly string[]]) {
          if (text.startsWith('DELETE')) for (const token of value) table.delete(token);
          return Promise.resolve({ rows: [...table].map((token) => ({ token })) });
        },
      },
    });
    runBlock(SEND_NOTIFICATION_TO_USER);

    await callDeclared('sendNotificationToUser', 'anna', 'Hello', 'Your order has shipped');

    assert.deepEqual([...table], [GOOD.value]);
  },
);

/** FCM has one bad moment with each of three tokens; one of them is gone for good. */
function disturb({ fcm }: Network): void {
  fcm.devices.set(GONE.value, { kind: 'unregistered' });
  fcm.devices.set(THROTTLED.value, { kind: 'quota' });
  fcm.faults.schedule({
    times: 1,
    match: { token: UNAVAILABLE.value },
    fault: { kind: 'answer', status: 503, reason: 'UNAVAILABLE' },
  });
}

test('Homing retires the dead one of the same four tokens and tries two again', async () => {
  await using network = await startNetwork();
  const { backEnd, clock, fcm } = network;
  const statuses = new Map<string, unknown>();
  const phones = FOUR.map((token) => ({ token, device: network.device() }));
  for (const { token, device } of phones) assertAnswered(await device.register(token, 'anna'), 201);
  disturb(network);

  const id = await backEnd.sendToUsers(['anna']);
  await network.drain();
  const first = await backEnd.report(id);
  assert.deepEqual(first['reasons'], { failed: { token_dead: 1 }, retrying: { transient: 1 } });
  // The project is throttled as a whole: its lane waits, and no attempt is burnt.
  assert.equal(first['counts']?.['pending'], 1);

  fcm.devices.set(THROTTLED.value, { kind: 'live' });
  const retry = async (): Promise<void> => clock.advance(LONGEST_DELAY_MS);
  assert.deepEqual(await tokensReached(network, retry), tokens(UNAVAILABLE, THROTTLED));

  assert.equal((await backEnd.report(id))['counts']?.['accepted'], 3);
  for (const { token, device } of phones) {
    statuses.set(token.value, (await backEnd.installation(device.id))['status']);
  }
  assert.deepEqual(
    FOUR.map(({ value }) => statuses.get(value)),
    ['active', 'retired', 'active', 'active'],
  );
});
