import assert from 'node:assert/strict';
import { hash, randomBytes, randomUUID } from 'node:crypto';
import type { ProvisionedApp } from '@homing/server';
import { addresseeTag } from '../../packages/server/src/domain/addressee-tag.ts';
import { request } from '../answer.ts';
import { apnsToken, fcmToken } from '../device.ts';
import type { Network } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';
import { parseExchange } from './exchange.ts';
import type { Block, Guide } from './guide.ts';
import { Placeholders } from './placeholders.ts';

/** Where a guide is replayed: nobody else is in the app, and nobody else sends meanwhile. */
export interface GuideScene {
  readonly network: Network;
  readonly app: ProvisionedApp;
}

/** What a guide shows: an exchange, or what a phone gets then. */
export function isReplayed({ language, role }: Block): boolean {
  return language === 'http' || (language === 'json' && role === 'push');
}

/**
 * Sends the exchanges of a guide in their order, as they stand there, and compares the answers and
 * the pushes. What a push block shows came after the exchange before it, and nothing else did.
 */
export async function replay(guide: Guide, scene: GuideScene): Promise<void> {
  const { network } = scene;
  const placeholders = new Placeholders(firstValues(scene));
  let mark = network.journal.counters.received;
  for (const block of guide.blocks.filter(isReplayed)) {
    const at = `docs/guides/${guide.name}:${block.line}`;
    if (block.language === 'http') {
      await network.drain();
      mark = network.journal.counters.received;
      await send(block.text, scene, placeholders, at);
    } else {
      await network.drain();
      expectPush(block.text, network, placeholders, { at, mark });
    }
  }
}

/** Two installations and their tokens, and the keys of the app. */
function firstValues({ network, app }: GuideScene): Readonly<Record<string, string>> {
  const installationSecret = newSecret();
  const tagOf = (userId: string): string =>
    addresseeTag(hash('sha256', installationSecret, 'buffer'), userId);
  return {
    publishable_key: app.publishableKey,
    secret_key: app.secretKey,
    installation_id: randomUUID(),
    installation_secret: installationSecret,
    new_installation_id: randomUUID(),
    new_installation_secret: newSecret(),
    apns_token: apnsToken().value,
    refreshed_apns_token: apnsToken().value,
    fcm_token: fcmToken().value,
    refreshed_fcm_token: fcmToken().value,
    tag_of_anna: tagOf('anna'),
    tag_of_ben: tagOf('ben'),
    now: network.clock.now().toISOString(),
  };
}

function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

async function send(
  text: string,
  scene: GuideScene,
  placeholders: Placeholders,
  at: string,
): Promise<void> {
  const exchange = parseExchange(text);
  const path = placeholders.fill(exchange.path);
  await vouch(exchange.body, path, scene, placeholders);
  const body = exchange.body === null ? undefined : placeholders.fill(exchange.body);
  const headers = Object.fromEntries(
    Object.entries(exchange.headers).map(([name, value]) => [name, placeholders.fill(value)]),
  );
  assert.equal(body === undefined, headers['content-type'] === undefined, `${at}: content type`);
  const answer = await request(`${scene.network.url}${path}`, {
    method: exchange.method,
    headers,
    ...(body !== undefined && { body }),
  });
  const expected = exchange.answer;
  assert.equal(answer.status, expected.status, `${at}: ${JSON.stringify(answer.body)}`);
  for (const [name, value] of Object.entries(expected.headers)) {
    placeholders.match(value, answer.headers.get(name), `${at} ${name}`);
  }
  if (expected.body !== null) placeholders.match(JSON.parse(expected.body), answer.body, at);
}

/** `{assertion_of_anna}` is a fresh one each time, for the installation of the path. */
async function vouch(
  body: string | null,
  path: string,
  { network, app }: GuideScene,
  placeholders: Placeholders,
): Promise<void> {
  const [, , , installationId = ''] = path.split('/');
  for (const [, name = '', userId = ''] of (body ?? '').matchAll(/\{(assertion_of_([a-z]+))\}/g)) {
    placeholders.set(name, await network.issuer.sign(app.id, userId, { installationId }));
  }
}

function expectPush(
  text: string,
  network: Network,
  placeholders: Placeholders,
  { at, mark }: { readonly at: string; readonly mark: number },
): void {
  const expected: unknown = JSON.parse(text);
  const payloads = acceptedPushes(network.journal, mark).map(({ body }) => payloadOf(body));
  assert.equal(payloads.length, expected === null ? 0 : 1, `${at}: ${JSON.stringify(payloads)}`);
  if (expected !== null) placeholders.match(expected, payloads[0], at);
}

/** What the app on the phone sees: FCM hands it the data, and nothing else if there is no more. */
function payloadOf(body: unknown): unknown {
  const { message } = body as { readonly message?: Readonly<Record<string, unknown>> };
  if (message === undefined) return body;
  assert.equal(message['notification'], undefined, 'FCM would draw this push by itself');
  return message['data'];
}
