import { invalid, MISTAKEN_USER_IDS, type BadRequest, type Places } from './bad-request.ts';

const OFF_CURVE = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]).toString('base64url');
/** That of the example in RFC 8291. */
const POINT =
  'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4';
const AUTH = Buffer.alloc(16, 7).toString('base64url');
const ENDPOINT = 'https://updates.push.services.mozilla.com/wpush/v2/abc';

/** Members of a registration packet that are wrong, and the pointer to what is wrong about them. */
const MEMBERS: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
  ['a negative seq', { seq: -1 }, '/seq'],
  ['a fraction as seq', { seq: 1.5 }, '/seq'],
  ['a text as seq', { seq: '7' }, '/seq'],
  ['null as seq', { seq: null }, '/seq'],
  ['an array as seq', { seq: [7] }, '/seq'],
  ['a seq beyond 2^48', { seq: 2 ** 48 + 1 }, '/seq'],
  ['a seq far beyond', { seq: 1e300 }, '/seq'],
  ['no seq', { seq: undefined, permission: 'granted' }, '/seq'],
  ['an unknown field', { tokn: {} }, '/tokn'],
  ['an unknown field with a slash and a tilde', { 'a/b~c': 1 }, '/a~1b~0c'],
  ['constructor', { constructor: {} }, '/constructor'],
  ['a text as permission', { permission: 'yes' }, '/permission'],
  ['true as permission', { permission: true }, '/permission'],
  ['null as device', { device: null }, '/device'],
  ['an array as device', { device: [] }, '/device'],
  ['an unknown device fact', { device: { imei: '1' } }, '/device/imei'],
  ['a number as os_version', { device: { os_version: 18 } }, '/device/os_version'],
  ['an empty platform', { device: { platform: '' } }, '/device/platform'],
  ['a long platform', { device: { platform: 'x'.repeat(33) } }, '/device/platform'],
  ['a long label', { device: { label: 'x'.repeat(256) } }, '/device/label'],
  ['a long locale', { device: { locale: 'x'.repeat(36) } }, '/device/locale'],
  ['a long time zone', { device: { time_zone: 'x'.repeat(65) } }, '/device/time_zone'],
  ['a long vendor id', { device: { vendor_id: 'x'.repeat(256) } }, '/device/vendor_id'],
  ['an array as tags', { tags: [] }, '/tags'],
  ['a number as a tag', { tags: { plan: 1 } }, '/tags/plan'],
  ['a nested tag', { tags: { plan: {} } }, '/tags/plan'],
  ['a space in a tag name', { tags: { 'my plan': 'x' } }, '/tags/my plan'],
  ['an empty tag name', { tags: { '': 'x' } }, '/tags/'],
  ['a long tag', { tags: { plan: 'x'.repeat(257) } }, '/tags/plan'],
  ['51 tags', { tags: tags(51) }, '/tags'],
  ['51 device tags', { device_tags: tags(51) }, '/device_tags'],
  ['a number as a device tag', { device_tags: { beta: 1 } }, '/device_tags/beta'],
  ['a number as takeover', { takeover: 1 }, '/takeover'],
  ['a long takeover', { takeover: 'x'.repeat(257) }, '/takeover'],
  ['a text as user', { user: 'anna' }, '/user'],
  ['a user without id', { user: {} }, '/user/id'],
  ['a number as user id', { user: { id: 42 } }, '/user/id'],
  ['an unknown user field', { user: { id: '42', name: 'Anna' } }, '/user/name'],
  ['an object as assertion', { user: { id: '42', assertion: {} } }, '/user/assertion'],
  ['a long signature', { user: { id: '42', signature: 'x'.repeat(129) } }, '/user/signature'],
  ...MISTAKEN_USER_IDS.map(
    (id) =>
      [`the user id ${JSON.stringify(id).slice(0, 24)}`, { user: { id } }, '/user/id'] as const,
  ),
  ['a text as token', { token: 'abc' }, '/token'],
  ['an array as token', { token: [] }, '/token'],
  ['an empty token', { token: {} }, '/token/provider'],
  ['an unknown provider', { token: { provider: 'sms', value: 'x' } }, '/token/provider'],
  ...[
    ['hex digits in odd number', { value: `${'0a'.repeat(31)}0` }, '/value'],
    ['letters beyond f', { value: 'zz'.repeat(32) }, '/value'],
    ['few digits', { value: '0a'.repeat(15) }, '/value'],
    ['many digits', { value: '0a'.repeat(201) }, '/value'],
    ['an empty value', { value: '' }, '/value'],
    ['a number', { value: 12 }, '/value'],
    ['null', { value: null }, '/value'],
    ['an unknown environment', { value: '0a'.repeat(32), environment: 'prod' }, '/environment'],
    ['an empty topic', { value: '0a'.repeat(32), topic: '' }, '/topic'],
    ['an unknown field', { value: '0a'.repeat(32), bundle: 'x' }, '/bundle'],
  ].map((row) => tokenRow('apns', row)),
  ...[
    ['a space', { value: `${'x'.repeat(80)} y` }, '/value'],
    ['few characters', { value: 'short' }, '/value'],
    ['4,097 characters', { value: 'x'.repeat(4_097) }, '/value'],
    ['a placeholder', { value: 'undefined' }, '/value'],
    ['an unknown kind', { value: 'x'.repeat(80), kind: 'topic' }, '/kind'],
    ['a long fid', { value: 'x'.repeat(65), kind: 'fid' }, '/value'],
    ['an empty project', { value: 'x'.repeat(80), project: '' }, '/project'],
    ['a missing value', {}, '/value'],
  ].map((row) => tokenRow('fcm', row)),
  ...[
    ['plain http', subscription({ endpoint: 'http://push.example/x' }), '/endpoint'],
    ['no URL', subscription({ endpoint: 'push' }), '/endpoint'],
    ['a user in the URL', subscription({ endpoint: 'https://u:p@push.example/x' }), '/endpoint'],
    ['an unknown service', subscription({ endpoint: 'https://push.example/x' }), '/endpoint'],
    [
      'a removed one',
      subscription({ endpoint: 'https://permanently-removed.invalid/' }),
      '/endpoint',
    ],
    [
      'a point off the curve',
      subscription({ keys: { p256dh: OFF_CURVE, auth: AUTH } }),
      '/keys/p256dh',
    ],
    [
      'no VAPID key',
      subscription({ application_server_key: OFF_CURVE }),
      '/application_server_key',
    ],
    ['a long endpoint', subscription({ endpoint: `${ENDPOINT}${'x'.repeat(2_048)}` }), '/endpoint'],
    ['no keys', { endpoint: ENDPOINT }, '/keys'],
    ['a short point', subscription({ keys: { p256dh: 'BA', auth: AUTH } }), '/keys/p256dh'],
    ['a short auth', subscription({ keys: { p256dh: POINT, auth: 'BA' } }), '/keys/auth'],
    ['an unknown key', subscription({ keys: { p256dh: POINT, auth: AUTH, x: 1 } }), '/keys/x'],
  ].map((row) => tokenRow('webpush', row)),
  ...[
    ['another form', { value: 'ExponentPushToken' }, '/value'],
    ['an empty bracket', { value: 'ExponentPushToken[]' }, '/value'],
    ['a bracket in the bracket', { value: 'ExponentPushToken[a]b]' }, '/value'],
  ].map((row) => tokenRow('expo', row)),
  tokenRow('hms', ['few characters', { value: 'short' }, '/value']),
];

function tokenRow(
  provider: string,
  [title, members, pointer]: readonly unknown[],
): readonly [string, Readonly<Record<string, unknown>>, string] {
  const token = { provider, ...(members as Readonly<Record<string, unknown>>) };
  return [`${provider} token: ${String(title)}`, { token }, `/token${String(pointer)}`];
}

function subscription(members: Readonly<Record<string, unknown>>) {
  return { endpoint: ENDPOINT, keys: { p256dh: POINT, auth: AUTH }, ...members };
}

function tags(count: number): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${index}`, 'x']));
}

export function badPackets(places: Places): readonly BadRequest[] {
  // A valid token rides along, so that a packet that is taken in part is noticed.
  const valid = { seq: 90, token: { provider: 'fcm', value: places.token } };
  return MEMBERS.map(([title, members, pointer]) =>
    invalid(`packet with ${title}`, {
      method: 'PUT',
      path: places.installation,
      as: 'client',
      body: { ...valid, ...members },
      pointer,
    }),
  );
}
