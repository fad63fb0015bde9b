import { invalid, MISTAKEN_USER_IDS, type BadRequest, type Places } from './bad-request.ts';

type Row = readonly [string, unknown, string];

/** Wrong fields of everything that an installation sends beside its packet. */
export function badInstallationFields(places: Places): readonly BadRequest[] {
  const put = (path: string) => rowsTo('PUT', `${places.installation}${path}`, 'client');
  return [
    ...put('/preferences?seq=90')([
      ['an unknown mode', { mode: 'loud' }, '/mode'],
      ['no time', { muted_until: 'tomorrow' }, '/muted_until'],
      ['a day that does not exist', { muted_until: '2026-02-30T00:00:00Z' }, '/muted_until'],
      ['a leap second', { muted_until: '2026-06-30T23:59:60Z' }, '/muted_until'],
      ['a number as time', { muted_until: 1 }, '/muted_until'],
      ['an array of categories', { categories: [] }, '/categories'],
      ['a text as category', { categories: { offers: 'no' } }, '/categories/offers'],
      ['a category with a space', { categories: { 'my offers': true } }, '/categories/my offers'],
      ['101 categories', { categories: flags(101) }, '/categories'],
      ['an unknown field', { sound: true }, '/sound'],
    ]),
    ...put('/topics/news?seq=90')([
      ['no scope', {}, '/scope'],
      ['an unknown scope', { scope: 'all' }, '/scope'],
      ['a user scope without user', { scope: 'user' }, '/user_id'],
      ['an unknown field', { scope: 'device', ttl: 1 }, '/ttl'],
      ...MISTAKEN_USER_IDS.map((id): Row => [
        `user id ${short(id)}`,
        { scope: 'user', user_id: id },
        '/user_id',
      ]),
    ]),
    ...['a%20b', 'x'.repeat(129), 'a%2Fb', '%00', 'ä'].map((topic) =>
      invalid(`topic ${short(topic)}`, {
        method: 'PUT',
        path: `${places.installation}/topics/${topic}?seq=90`,
        as: 'client',
        body: { scope: 'device' },
        pointer: '/topic',
      }),
    ),
    ...['-1', '1.5', 'x', '', String(2 ** 48 + 1), '9'.repeat(30), '1e3', '0x1', '1&seq=2'].map(
      (seq) =>
        invalid(`logout with seq=${seq}`, {
          method: 'DELETE',
          path: `${places.installation}/user?seq=${seq}`,
          as: 'client',
          pointer: '/querystring/seq',
        }),
    ),
    invalid('logout with an unknown parameter', {
      method: 'DELETE',
      path: `${places.installation}/user?sequence=1`,
      as: 'client',
      pointer: '/querystring/sequence',
    }),
  ];
}

/** Ids in paths that cannot be ids. */
export function badIds(places: Places): readonly BadRequest[] {
  const installations = [
    'x',
    '1',
    places.installationId.replaceAll('-', ''),
    `%7B${places.installationId}%7D`,
    `${places.installationId}0`,
    places.installationId.replace(/.$/, 'g'),
    '%00',
    `'%20or%201=1--`,
  ];
  const paths: readonly (readonly [string, string])[] = [
    ['GET', ''],
    ['DELETE', ''],
    ['DELETE', '/user'],
  ];
  // Not those of which nothing is left in a path.
  const inPaths = MISTAKEN_USER_IDS.filter((id) => !['', '.', '..'].includes(id));
  const users = inPaths.map(encodeURIComponent);
  const notifications = ['ntf_', 'ntf_x', 'x', places.installationId, `ntf_${'0'.repeat(31)}`];
  return [
    ...paths.flatMap(([method, tail]) =>
      installations.map((id) =>
        invalid(`${method} installation ${short(id)}${tail}`, {
          method,
          path: `/v1/installations/${id}${tail}`,
          as: 'client',
          pointer: '/installation_id',
        }),
      ),
    ),
    ...[...users, '%00', 'a%00b'].map((id) =>
      invalid(`DELETE user ${short(id)}`, {
        method: 'DELETE',
        path: `/v1/users/${id}`,
        as: 'back_end',
        pointer: '/user_id',
      }),
    ),
    ...[...notifications, `app_${'0'.repeat(32)}`, `ntf_${'0'.repeat(32)}`].map(
      (id): BadRequest => ({
        title: `GET notification ${short(id)}`,
        method: 'GET',
        path: `/v1/notifications/${id}`,
        as: 'back_end',
        code: 'not_found',
      }),
    ),
  ];
}

export function badQueries(places: Places): readonly BadRequest[] {
  const list: readonly (readonly [string, string])[] = [
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=1.5', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['after=x', 'after'],
    ['after=-1', 'after'],
    ['after=1.5', 'after'],
    ["after=1'", 'after'],
    ['after=', 'after'],
    [`after=${'9'.repeat(16)}`, 'after'],
    [`after=${'9'.repeat(40)}`, 'after'],
    ['status=lost', 'status'],
    ['status=', 'status'],
    ['user_id=', 'user_id'],
    ['user_id=%00', 'user_id'],
    ['user_id=a&user_id=b', 'user_id'],
    ['token=', 'token'],
    ['platform=%00', 'platform'],
    [`platform=${'x'.repeat(33)}`, 'platform'],
    ['order=desc', 'order'],
  ];
  const explain: readonly (readonly [string, string])[] = [
    ['', 'user_id'],
    ['user_id=null', 'user_id'],
    ['user_id=%00', 'user_id'],
    ['user_id=42&verbose=1', 'verbose'],
  ];
  return [
    ...queriesTo('/v1/installations', list),
    ...queriesTo(`${places.notification}/explain`, explain),
  ];
}

function queriesTo(
  path: string,
  rows: readonly (readonly [string, string])[],
): readonly BadRequest[] {
  return rows.map(([text, field]) =>
    invalid(`query ${short(text)}`, {
      method: 'GET',
      path: `${path}?${text}`,
      as: 'back_end',
      pointer: `/querystring/${field}`,
    }),
  );
}

/** Wrong fields of what a home-grown client sends. */
export function badSimpleFields(places: Places): readonly BadRequest[] {
  const valid = { token: places.token, userId: '42', deviceId: 'phone-1', platform: 'android' };
  const register = rowsTo('POST', '/register-token', 'back_end', valid);
  return [
    ...register([
      ['no token', { token: undefined }, '/token'],
      ['an empty token', { token: '' }, '/token'],
      ['a number as token', { token: 1 }, '/token'],
      ['a long token', { token: 'x'.repeat(4_097) }, '/token'],
      ['the token "undefined"', { token: 'undefined' }, '/token'],
      ['no deviceId', { deviceId: undefined }, '/deviceId'],
      ['{} as deviceId', { deviceId: {} }, '/deviceId'],
      ['[] as deviceId', { deviceId: [] }, '/deviceId'],
      ['null as deviceId', { deviceId: null }, '/deviceId'],
      ['an empty deviceId', { deviceId: '' }, '/deviceId'],
      ['a number as deviceId', { deviceId: 1 }, '/deviceId'],
      ['a long deviceId', { deviceId: 'x'.repeat(256) }, '/deviceId'],
      ['{} as userId', { userId: {} }, '/userId'],
      ['true as userId', { userId: true }, '/userId'],
      ['a fraction as userId', { userId: 1.5 }, '/userId'],
      ['0 as userId', { userId: 0 }, '/userId'],
      ['a userId that a number cannot hold', { userId: 2 ** 53 }, '/userId'],
      ['a userId in exponent form', { userId: 1e21 }, '/userId'],
      ...MISTAKEN_USER_IDS.map((id): Row => [`userId ${short(id)}`, { userId: id }, '/userId']),
      ['an unknown provider', { provider: 'sms' }, '/provider'],
      ['another provider than the token', { provider: 'expo' }, '/token'],
      ['a text as timestamp', { timestamp: '1' }, '/timestamp'],
      ['a long platform', { platform: 'x'.repeat(33) }, '/platform'],
      ['a long appVersion', { appVersion: 'x'.repeat(65) }, '/appVersion'],
    ]),
    ...rowsTo(
      'DELETE',
      '/delete-token',
      'back_end',
    )([
      ['no token', {}, '/token'],
      ['a number as token', { token: 1 }, '/token'],
      ['an empty token', { token: '' }, '/token'],
    ]),
  ];
}

/** Titles, sends and expects a whole table; `valid` is what each row's members are laid over. */
export function rowsTo(
  method: string,
  path: string,
  as: BadRequest['as'],
  valid: Readonly<Record<string, unknown>> = {},
): (rows: readonly Row[]) => readonly BadRequest[] {
  return (rows) =>
    rows.map(([title, members, pointer]) =>
      invalid(`${method} ${path.split('?')[0]?.slice(-24)} with ${title}`, {
        method,
        path,
        as,
        body: { ...valid, ...(members as Readonly<Record<string, unknown>>) },
        pointer,
      }),
    );
}

function short(text: string): string {
  return JSON.stringify(text).slice(0, 32);
}

function flags(count: number): Readonly<Record<string, boolean>> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`c${index}`, true]));
}
