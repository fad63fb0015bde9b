import assert from 'node:assert/strict';
import type { Network } from '../../../../test/network.ts';

/** Sends to a user and returns what the provider was given for one token. */
export async function sendPush(network: Network, userId: string, token: string): Promise<unknown> {
  const before = network.journal.counters.received;
  const content = { title: `For ${userId}`, body: 'Parcel 12345', url: 'https://shop.example/42' };
  await network.backEnd.sendToUsers([userId], content);
  await network.drain();
  const entry = network.journal
    .entries({ after: before })
    .find((candidate) => candidate.token === token && candidate.accepted);
  assert.ok(entry !== undefined, 'nothing was sent to the token');
  return entry.body;
}
