import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  INSTALL_REFERENCES,
  missingLibraries,
  referenceLibrary,
} from '../../bench/reference-library.ts';
import {
  authority,
  PROJECT,
  pushToken,
  startExpo,
  type Item,
} from '../../packages/simulators/test/expo-client.ts';

const LIBRARY = 'expo-server-sdk';
const ACCESS_TOKEN = 'token-of-the-parcels';

/** What is used of the HTTP library that it brings along. */
interface HttpLibrary {
  readonly Agent: new (options: { readonly connect: { readonly ca: string } }) => HttpAgent;
}

interface HttpAgent {
  destroy(): Promise<void>;
}

/** What is used of the library. */
interface ExpoLibrary {
  readonly Expo: {
    new (options: {
      readonly httpAgent: HttpAgent;
      readonly accessToken?: string;
      readonly retryMinTimeout?: number;
    }): ExpoClient;
    isExpoPushToken(token: unknown): boolean;
  };
}

interface ExpoClient {
  chunkPushNotifications(messages: readonly object[]): readonly (readonly object[])[];
  sendPushNotificationsAsync(messages: readonly object[]): Promise<readonly Item[]>;
  chunkPushNotificationReceiptIds(ids: readonly string[]): readonly (readonly string[])[];
  getPushNotificationReceiptsAsync(ids: readonly string[]): Promise<Readonly<Record<string, Item>>>;
}

const skip =
  missingLibraries([LIBRARY]).length > 0 && `needs ${LIBRARY}: run ${INSTALL_REFERENCES}`;

const simulator = await startExpo({
  accessTokens: [ACCESS_TOKEN],
  knobs: { receiptDelayMs: 0 },
});
const { Agent } = referenceLibrary('undici') as HttpLibrary;
const httpAgent = new Agent({ connect: { ca: authority.certificatePem } });

after(async () => {
  await httpAgent.destroy();
  await simulator[Symbol.asyncDispose]();
});

/** The library reads where Expo is when it is loaded. */
function load(): ExpoLibrary {
  process.env['EXPO_BASE_URL'] = simulator.url;
  return referenceLibrary(LIBRARY) as ExpoLibrary;
}

function connect(options: { readonly accessToken?: string } = {}): ExpoClient {
  const { Expo } = load();
  return new Expo({ httpAgent, retryMinTimeout: 1, ...options });
}

test("Expo's own SDK sends through the simulator, in chunks of a hundred", { skip }, async () => {
  const client = connect();
  const dead = pushToken('sim-unregistered:1');
  const messages = Array.from({ length: 230 }, (_, index) => ({
    to: index === 150 ? dead : pushToken(`sdk-${index}`),
    title: 'Your parcel',
    body: 'It has shipped.',
    data: { parcel: index },
    sound: 'default',
    priority: 'high',
    channelId: 'parcels',
    richContent: { image: 'https://example.com/1.png' },
    _contentAvailable: false,
  }));
  const chunks = client.chunkPushNotifications(messages);
  assert.deepEqual(
    chunks.map(({ length }) => length),
    [100, 100, 30],
  );
  const tickets = (
    await Promise.all(chunks.map((chunk) => client.sendPushNotificationsAsync(chunk)))
  ).flat();
  assert.equal(tickets.length, messages.length);
  const refused = tickets.flatMap(({ status, details }, index) =>
    status === 'ok' ? [] : [[index, details?.error, details?.expoPushToken]],
  );
  assert.deepEqual(refused, [[150, 'DeviceNotRegistered', dead]]);
});

test("Expo's own SDK reads the simulator's receipts", { skip }, async () => {
  const client = connect();
  const tickets = await client.sendPushNotificationsAsync([
    { to: [pushToken('a'), pushToken('sim-receipt-mismatch:1')], title: 'Your parcel' },
  ]);
  const ids = tickets.map(({ id = '' }) => id);
  const [chunk = []] = client.chunkPushNotificationReceiptIds(ids);
  const receipts = await client.getPushNotificationReceiptsAsync(chunk);
  assert.deepEqual(
    ids.map((id) => receipts[id]?.details?.error ?? receipts[id]?.status),
    ['ok', 'MismatchSenderId'],
  );
});

test("Expo's own SDK takes the simulator's refusals for what they are", { skip }, async () => {
  const client = connect();
  const other = pushToken('sim-other-project:1');
  const mixed = client.sendPushNotificationsAsync([{ to: pushToken('a') }, { to: other }]);
  await assert.rejects(mixed, {
    code: 'PUSH_TOO_MANY_EXPERIENCE_IDS',
    details: { [PROJECT]: [pushToken('a')], '@other/project': [other] },
  });
  const wrong = connect({ accessToken: 'wrong' });
  const refused = wrong.sendPushNotificationsAsync([{ to: pushToken('a') }]);
  await assert.rejects(refused, { code: 'UNAUTHORIZED', statusCode: 401 });
  simulator.knobs.enhancedSecurity = true;
  const right = connect({ accessToken: ACCESS_TOKEN });
  const [ticket] = await right.sendPushNotificationsAsync([{ to: pushToken('a') }]);
  assert.equal(ticket?.status, 'ok');
  simulator.knobs.enhancedSecurity = false;
});

test("Expo's own SDK comes again after a 429 of the simulator", { skip }, async () => {
  const [ticket] = await connect().sendPushNotificationsAsync([
    { to: pushToken('sim-throttled-once:1'), title: 'Your parcel' },
  ]);
  assert.equal(ticket?.status, 'ok');
});

test("Expo's own SDK knows the tokens of the simulator for push tokens", { skip }, () => {
  assert(load().Expo.isExpoPushToken(pushToken('sim-unregistered:1')));
});
