import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from '../answer.ts';
import { assertAnswered } from '../answered.ts';
import { fcmToken, type Device } from '../device.ts';
import { startNetwork, type Network } from '../network.ts';
import { tokens, tokensReached } from '../pushes.ts';

/** The packets that a phone sends in this order; the network delivers them as it likes. */
interface Packets {
  readonly annaIn: () => Promise<Answer>;
  readonly annaOut: () => Promise<Answer>;
  readonly benIn: () => Promise<Answer>;
}

const TOKEN = fcmToken();

/** A phone that has its token, before anybody signed in, and its next three packets. */
async function phoneWithPackets(network: Network): Promise<Device & { packets: Packets }> {
  const phone = network.device();
  assertAnswered(await phone.register(TOKEN), 201);
  const [first, second, third] = [phone.nextSeq(), phone.nextSeq(), phone.nextSeq()];
  const login = async (seq: number, id: string): Promise<() => Promise<Answer>> => {
    const assertion = await phone.assertion(id);
    return () => phone.sync({ seq, user: { id, assertion } });
  };
  const packets = {
    annaIn: await login(first, 'anna'),
    annaOut: () => phone.request('DELETE', `/user?seq=${second}`),
    benIn: await login(third, 'ben'),
  };
  return Object.assign(phone, { packets });
}

/** Whatever happened on the way: Ben gets his pushes, Anna's never come to this phone. */
async function assertThatBenHasThePhone(network: Network, phone: Device): Promise<void> {
  const { backEnd } = network;
  const toAnna = () => backEnd.sendToUsers(['anna']);
  const toBen = () => backEnd.sendToUsers(['ben']);
  assert.deepEqual(await tokensReached(network, toAnna), [], "Anna's push");
  assert.deepEqual(await tokensReached(network, toBen), tokens(TOKEN), "Ben's push");
  assert.equal((await backEnd.installation(phone.id))['user']?.['id'], 'ben');
}

/** Every order in which the three packets can arrive; each is played with all packets repeated. */
const ARRIVALS: readonly (readonly (keyof Packets)[])[] = [
  ['annaIn', 'annaOut', 'benIn'],
  ['annaIn', 'benIn', 'annaOut'],
  ['annaOut', 'annaIn', 'benIn'],
  ['annaOut', 'benIn', 'annaIn'],
  ['benIn', 'annaIn', 'annaOut'],
  ['benIn', 'annaOut', 'annaIn'],
];

for (const arrival of ARRIVALS) {
  const order = arrival.join(', ');
  test(`Ben has the phone when the packets arrive as ${order}, and once more`, async () => {
    await using network = await startNetwork();
    const phone = await phoneWithPackets(network);
    for (const name of [...arrival, ...arrival]) {
      const answer = await phone.packets[name]();
      assert.ok(answer.status < 300, `${name}: ${JSON.stringify(answer.body)}`);
    }
    await assertThatBenHasThePhone(network, phone);
  });
}

test('Ben has the phone when all packets arrive at once, three times over', async () => {
  await using network = await startNetwork();
  const phone = await phoneWithPackets(network);
  const { annaIn, annaOut, benIn } = phone.packets;
  const sends = [annaIn, annaOut, benIn, benIn, annaOut, annaIn, annaIn, benIn, annaOut];
  const answers = await Promise.all(sends.map((send) => send()));
  assert.deepEqual(
    answers.filter((answer) => answer.status >= 300).map((answer) => answer.body),
    [],
  );
  await assertThatBenHasThePhone(network, phone);
});
