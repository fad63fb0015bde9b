/**
 * The push of the benchmarks on the wire: as our provider for APNs makes them, with a token, an id
 * and a collapse id of its own for each, and 150 bytes to say.
 */
export interface WirePush {
  readonly token: string;
  /** UUID. */
  readonly id: string;
  /** Seconds since 1970, as decimal digits. */
  readonly expiration: string;
}

export const WIRE_TOPIC = 'com.acme.shop';
const EXPIRATION = '2000000000';

const TEXT = 'Your order has left our warehouse and is on its way to you. ';
const PAYLOAD = { aps: { alert: { title: 'On its way', body: '' }, 'mutable-content': 1 } };
const BODY_BYTES = 150;

/** As JSON; `@parse/node-apn` makes its own from it. */
export const WIRE_PAYLOAD = payload();
export const WIRE_BODY = Buffer.from(JSON.stringify(WIRE_PAYLOAD));

/** As long as the JWT that APNs wants; nobody looks at it. */
export const WIRE_AUTHORIZATION = `bearer ${'eyJhbGciOiJFUzI1NiJ9'.repeat(10)}`;

/** Numbers below 2^48 have a token and an id of their own. */
export function wirePush(number: number): WirePush {
  const digits = number.toString(16).padStart(12, '0');
  return {
    token: `0a4c1f7e9b2d4c1f7e9b2d4c1f7e9b2d4c1f7e9b2d4c1f7e9b2d${digits}`,
    id: `5d1c2a90-6f3e-4b7a-9c1d-${digits}`,
    expiration: EXPIRATION,
  };
}

/** The fields that all pushes share. */
export const WIRE_CONSTANTS = {
  'apns-topic': WIRE_TOPIC,
  'apns-push-type': 'alert',
  'apns-priority': '10',
};

/** The fields of a push beside `authorization` and those that HTTP/2 itself demands. */
export function wireHeaders({ id, expiration }: WirePush): Readonly<Record<string, string>> {
  return {
    'apns-id': id,
    ...WIRE_CONSTANTS,
    'apns-expiration': expiration,
    'apns-collapse-id': id,
  };
}

function payload() {
  const missing = BODY_BYTES - JSON.stringify(PAYLOAD).length;
  const body = TEXT.repeat(Math.ceil(missing / TEXT.length)).slice(0, missing);
  const { aps } = PAYLOAD;
  return { aps: { ...aps, alert: { ...aps.alert, body } } };
}
