import { rowsTo } from './bad-fields.ts';
import { MISTAKEN_USER_IDS, type BadRequest } from './bad-request.ts';

const CONTENT = { title: 'Your order has shipped', body: 'Parcel 12345 is on its way' };
const VALID = { audience: { users: ['42'] }, content: CONTENT };

function content(members: Readonly<Record<string, unknown>>) {
  return { content: { ...CONTENT, ...members } };
}

function options(members: Readonly<Record<string, unknown>>) {
  return { options: members };
}

/** Wrong fields of what back ends send. */
export function badBackEndFields(installationId: string): readonly BadRequest[] {
  return [
    ...badAudiences(installationId),
    ...badContent(),
    ...badNotificationOptions(installationId),
    ...badIdempotencyKeys(),
    ...badUsers(),
  ];
}

const notifications = rowsTo('POST', '/v1/notifications', 'back_end', VALID);

function badAudiences(installationId: string): readonly BadRequest[] {
  const many = Array.from({ length: 1_001 }, (_, index) => `u${index}`);
  return notifications([
    ['no audience', { audience: undefined }, '/audience'],
    ['an empty audience', { audience: {} }, '/audience/users'],
    ['null as audience', { audience: null }, '/audience'],
    ['no users', { audience: { users: [] } }, '/audience/users'],
    ['a text as users', { audience: { users: '42' } }, '/audience/users'],
    ['1,001 users', { audience: { users: many } }, '/audience/users'],
    ['a number as user', { audience: { users: ['1', 42] } }, '/audience/users/1'],
    ...MISTAKEN_USER_IDS.map(
      (id) =>
        [
          `user ${JSON.stringify(id).slice(0, 20)}`,
          { audience: { users: ['1', id] } },
          '/audience/users/1',
        ] as const,
    ),
    ['an unknown audience', { audience: { people: ['42'] } }, '/audience/people'],
    [
      'two audiences',
      { audience: { users: ['42'], installations: [installationId] } },
      '/audience/installations',
    ],
    [
      'a wrong installation id',
      { audience: { installations: [installationId, 'x'] } },
      '/audience/installations/1',
    ],
  ]);
}

function badContent(): readonly BadRequest[] {
  return notifications([
    ['no content', { content: undefined }, '/content'],
    ['a text as content', { content: 'Hello' }, '/content'],
    ['a number as title', content({ title: 1 }), '/content/title'],
    ['a long title', content({ title: 'x'.repeat(1_025) }), '/content/title'],
    ['a long body', content({ body: 'x'.repeat(4_097) }), '/content/body'],
    ['an image over ftp', content({ image: 'ftp://files.example/x' }), '/content/image'],
    ['a number as datum', content({ data: { order: 1 } }), '/content/data/order'],
    ['65 data', content({ data: texts(65) }), '/content/data'],
    ['an action without title', content({ actions: [{ id: 'a' }] }), '/content/actions/0/title'],
    ['5 actions', content({ actions: actions(5) }), '/content/actions'],
    ['a negative badge', content({ badge: -1 }), '/content/badge'],
    ['a fraction as badge', content({ badge: 0.5 }), '/content/badge'],
    ['an empty sound', content({ sound: '' }), '/content/sound'],
    ['an unknown content field', content({ subtitle: 'x' }), '/content/subtitle'],
    ['an open placeholder', content({ title: 'Hello {{ name' }), '/content/title'],
    ['an open placeholder in data', content({ data: { a: '{{' } }), '/content/data/a'],
  ]);
}

function badNotificationOptions(installationId: string): readonly BadRequest[] {
  return notifications([
    ['a wrong locale', { locales: { 'de CH': CONTENT } }, '/locales/de CH'],
    ['a wrong text in a locale', { locales: { de: { title: 1 } } }, '/locales/de/title'],
    ['an array of variables', { variables: [] }, '/variables'],
    [
      'recipient variables for installations',
      { audience: { installations: [installationId] }, recipient_variables: {} },
      '/recipient_variables',
    ],
    ['a category with a space', { category: 'my offers' }, '/category'],
    ['a number as label', { labels: { team: 1 } }, '/labels/team'],
    ['21 labels', { labels: texts(21) }, '/labels'],
    ['a negative time to live', options({ ttl_seconds: -1 }), '/options/ttl_seconds'],
    ['five weeks to live', options({ ttl_seconds: 2_419_201 }), '/options/ttl_seconds'],
    ['a fraction of a second', options({ ttl_seconds: 0.5 }), '/options/ttl_seconds'],
    ['an unknown priority', options({ priority: 'urgent' }), '/options/priority'],
    ['an empty collapse key', options({ collapse_key: '' }), '/options/collapse_key'],
    ['an unknown lane', options({ lane: 'fast' }), '/options/lane'],
    ['a text as silent', options({ silent: 'yes' }), '/options/silent'],
    ['an unknown option', options({ delay: 1 }), '/options/delay'],
    ['an override for another provider', { overrides: { sms: {} } }, '/overrides/sms'],
    ['an unknown field', { send_now: true }, '/send_now'],
    ['an empty idempotency key', { idempotency_key: '' }, '/idempotency_key'],
    ['a number as idempotency key', { idempotency_key: 1 }, '/idempotency_key'],
    ['a long idempotency key', { idempotency_key: 'x'.repeat(256) }, '/idempotency_key'],
  ]);
}

function badIdempotencyKeys(): readonly BadRequest[] {
  return ['', 'x'.repeat(256)].map((key) => ({
    title: `an Idempotency-Key of ${key.length} characters`,
    method: 'POST',
    path: '/v1/notifications',
    as: 'back_end',
    headers: { 'idempotency-key': key },
    body: VALID,
    code: 'validation_failed',
    pointer: '/idempotency_key',
  }));
}

function texts(count: number): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'x']));
}

function badUsers(): readonly BadRequest[] {
  const many = Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`a${index}`, 1]));
  return [
    ...rowsTo(
      'PUT',
      '/v1/users/42',
      'back_end',
    )([
      ['an array of attributes', { attributes: [] }, '/attributes'],
      ['201 attributes', { attributes: many }, '/attributes'],
      ['a number as locale', { locale: 1 }, '/locale'],
      ['a long locale', { locale: 'x'.repeat(36) }, '/locale'],
      ['a long time zone', { time_zone: 'x'.repeat(65) }, '/time_zone'],
      ['a text as quiet hours', { quiet_hours: 'night' }, '/quiet_hours'],
      ['an id', { id: '43' }, '/id'],
    ]),
    ...rowsTo(
      'POST',
      '/v1/users/42/revoke',
      'back_end',
    )([
      ['no installation', { installations: [] }, '/installations'],
      ['a text as installations', { installations: 'all' }, '/installations'],
      ['a wrong installation id', { installations: ['x'] }, '/installations/0'],
      ['an unknown field', { everywhere: true }, '/everywhere'],
    ]),
  ];
}

function actions(count: number) {
  return Array.from({ length: count }, (_, index) => ({ id: `a${index}`, title: 'Track' }));
}
