import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { assertAnswered } from '../../../../test/answered.ts';
import { BackEnd } from '../../../../test/back-end.ts';
import { apnsToken, Device } from '../../../../test/device.ts';
import type { Network } from '../../../../test/network.ts';
import { formatTypedId, parseTypedId } from '../../src/domain/typed-id.ts';
import { uploadAudience } from './audience-upload.ts';
import type { RoutePlaces } from './route-book.ts';
import { textOf } from './text-of.ts';

export interface FurnishedApp {
  readonly app: Network['app'];
  readonly backEnd: BackEnd;
  readonly phone: Device;
  readonly places: RoutePlaces;
}

/** Puts one of everything that a path can name into an app, under names that no other app uses. */
export async function furnish(network: Network, app: Network['app']): Promise<FurnishedApp> {
  const backEnd = new BackEnd(network.url, app.secretKey);
  const phone = new Device(network.url, app, network.issuer);
  const userId = `user-${randomUUID()}`;
  assertAnswered(await phone.register(apnsToken(), userId), 201);
  const attributes = { attributes: { secret: `canary-${userId}` } };
  assertAnswered(await backEnd.request('PUT', `/v1/users/${userId}`, attributes), 200);
  const notificationId = await backEnd.sendToUsers([userId]);
  const review = await backEnd.request('POST', '/v1/reviews');
  assertAnswered(review, 202);
  await network.homing.maintenance.run();
  const list = { body: JSON.stringify({ user: userId }) };
  const audience = await uploadAudience(network.url, app.secretKey, list);
  assertAnswered(audience, 201);
  const places: RoutePlaces = {
    installationId: phone.id,
    userId,
    notificationId,
    alertId: await openAlert(network, app),
    reviewId: textOf(review.body['id']),
    audienceId: textOf(audience.body['id']),
    keyId: await exchangeKey(backEnd),
    credentialId: await anyCredential(backEnd),
  };
  return { app, backEnd, phone, places };
}

async function anyCredential(backEnd: BackEnd): Promise<string> {
  const list = await backEnd.get('/v1/app/credentials');
  assertAnswered(list, 200);
  return textOf(list.body['data']?.[0]?.['id']);
}

/** Alerts are opened by what goes wrong, which no request can order. */
async function openAlert(network: Network, app: Network['app']): Promise<string> {
  const [alert] = await network.homing.db<{ id: string }[]>`
    insert into alert (app_ref, kind, subject, opened_at, last_seen_at)
    select app_ref, 'token_contested', 'installation/1', now(), now() from app
    where id = ${parseTypedId('app', app.id)} returning id`;
  assert.ok(alert !== undefined);
  return formatTypedId('alr', alert.id);
}

/** Two keys may be live, and the test issuer's shared secret is one that nobody here needs. */
async function exchangeKey(backEnd: BackEnd): Promise<string> {
  const path = '/v1/app/identity-keys';
  assertAnswered(await backEnd.request('DELETE', `${path}/test-hmac-1`), 204);
  const kid = `key-${randomUUID()}`;
  const key = { kid, secret: randomBytes(32).toString('base64') };
  assertAnswered(await backEnd.request('POST', path, key), 201);
  return kid;
}
