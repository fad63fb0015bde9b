import { randomUUID } from 'node:crypto';
import type { HmsKind } from '../../src/domain/address.ts';
import { NO_OVERRIDES, type Message } from '../../src/domain/message.ts';
import type { Push } from '../../src/domain/push.ts';
import type { SendOptions } from '../../src/providers/provider.ts';

/** The token of a device of which the simulators know nothing in particular. */
export const LIVE_APNS_TOKEN = 'ab'.repeat(32);
export const LIVE_FCM_TOKEN = `cQw0:APA91b${'x'.repeat(120)}`;

export const TOPIC = 'com.example.parcels';
export const PROJECT = 'parcels-test';

/** A plain alert; tests name only what they are about. */
export function makeMessage(fields: Partial<Message> = {}): Message {
  return {
    notificationId: 'ntf_1',
    title: 'Your parcel',
    body: 'It has shipped.',
    image: null,
    url: null,
    data: {},
    actions: [],
    badge: null,
    sound: null,
    silent: false,
    priority: 'high',
    collapseKey: null,
    challenge: null,
    overrides: NO_OVERRIDES,
    ...fields,
  };
}

export function makeApnsPush(fields: Partial<Push> = {}): Push {
  return {
    id: randomUUID(),
    address: {
      provider: 'apns',
      environment: 'production',
      topic: TOPIC,
      token: LIVE_APNS_TOKEN,
    },
    message: makeMessage(),
    rcpt: null,
    expiresAt: new Date(Date.now() + 3_600_000),
    collapseScope: null,
    drawnBySdk: false,
    ...fields,
  };
}

export function apnsPushTo(token: string): Push {
  return makeApnsPush({
    address: { provider: 'apns', environment: 'production', topic: TOPIC, token },
  });
}

export function makeFcmPush(fields: Partial<Push> = {}): Push {
  return makeApnsPush({
    address: { provider: 'fcm', kind: 'token', project: PROJECT, token: LIVE_FCM_TOKEN },
    ...fields,
  });
}

export function fcmPushTo(token: string): Push {
  return makeFcmPush({ address: { provider: 'fcm', kind: 'token', project: PROJECT, token } });
}

export function hmsPushTo(
  token: string,
  fields: Partial<Push> & { readonly kind?: HmsKind } = {},
): Push {
  const { kind = 'android', ...others } = fields;
  return makeApnsPush({ address: { provider: 'hms', kind, token }, ...others });
}

export function makeExpoPush(fields: Partial<Push> = {}): Push {
  return makeApnsPush({
    address: { provider: 'expo', token: `ExponentPushToken[${randomUUID()}]` },
    ...fields,
  });
}

export function expoPushTo(token: string): Push {
  return makeExpoPush({ address: { provider: 'expo', token } });
}

/** Time enough for everything that a test does on loopback. */
export function soon(signal: AbortSignal = new AbortController().signal): SendOptions {
  return { startBefore: performance.now() + 5000, signal };
}
