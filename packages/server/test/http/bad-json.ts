import type { BadRequest, Places } from './bad-request.ts';

/**
 * Bodies that are refused as text, before anybody looks at a field. `CANARY` becomes a valid token.
 */
const TEXTS: readonly (readonly [string, string])[] = [
  ['an object that does not end', '{"token":"CANARY"'],
  ['a string that does not end', '{"token":"CANARY'],
  ['a comma too many', '{"token":"CANARY",}'],
  ['a comma too few', '{"token":"CANARY" "seq":1}'],
  ['two values', '{"token":"CANARY"}{}'],
  ['text after the value', '{"token":"CANARY"} x'],
  ['single quotes', "{'token':'CANARY'}"],
  ['bare words', '{token:CANARY}'],
  ['a comment', '{"token":"CANARY"/* */}'],
  ['a number with a leading zero', '{"token":"CANARY","seq":01}'],
  ['a hexadecimal number', '{"token":"CANARY","seq":0x1}'],
  ['NaN', '{"token":"CANARY","seq":NaN}'],
  ['Infinity', '{"token":"CANARY","seq":Infinity}'],
  ['undefined', '{"token":"CANARY","seq":undefined}'],
  ['a raw line feed in a string', '{"token":"CANARY\n"}'],
  ['a wrong escape', '{"token":"CANARY\\x41"}'],
  ['half an escape', '{"token":"CANARY\\u00"}'],
  ['a wrong bracket', '{"token":["CANARY"}'],
  ['a bracket too many', '{"token":"CANARY"}}'],
  ['only white space', ' \n\t'],
  ['a form', 'token=CANARY&seq=1'],
  ['XML', '<token>CANARY</token>'],
  ['a duplicate key', '{"token":"CANARY","token":"CANARY"}'],
  ['a duplicate key, once escaped', '{"token":"CANARY","\\u0074oken":1}'],
  ['a duplicate key further down', '{"token":{"value":"CANARY","value":1}}'],
  ['a duplicate key in an array', '{"token":[{"value":"CANARY","value":1}]}'],
  ['a duplicate empty key', '{"":"CANARY","":1}'],
  ['a NUL in a value', '{"token":"CANARY\\u0000"}'],
  ['a NUL in a key', '{"token":"CANARY","a\\u0000":1}'],
  ['a lone high surrogate', '{"token":"CANARY\\ud800"}'],
  ['a lone low surrogate', '{"token":"CANARY\\udc00x"}'],
  ['swapped surrogates', '{"token":"CANARY\\udc00\\ud800"}'],
  ['a lone surrogate in a key', '{"token":"CANARY","\\ud800":1}'],
  ['__proto__', '{"token":"CANARY","__proto__":{"isAdmin":true}}'],
  ['__proto__, escaped', '{"token":"CANARY","\\u005f_proto__":{"isAdmin":true}}'],
  ['__proto__ further down', '{"token":{"value":"CANARY","__proto__":{}}}'],
  ['21 arrays', `{"token":"CANARY","a":${'['.repeat(20)}${']'.repeat(20)}}`],
  ['21 objects', `${'{"a":'.repeat(21)}"CANARY"${'}'.repeat(21)}`],
  ['100,000 arrays', '['.repeat(100_000)],
  ['1,001 keys', JSON.stringify(Object.fromEntries(keys(1_001)))],
  ['1,001 keys in many objects', JSON.stringify(keys(1_001).map(([key]) => ({ [key]: 'CANARY' })))],
];

function keys(count: number): readonly (readonly [string, string])[] {
  return Array.from({ length: count }, (_, index) => [`k${index}`, 'CANARY'] as const);
}

export function badJson(places: Places): readonly BadRequest[] {
  const targets = [
    { method: 'PUT', path: places.installation, as: 'client' },
    { method: 'POST', path: '/v1/notifications', as: 'back_end' },
    { method: 'POST', path: '/register-token', as: 'back_end' },
  ] as const;
  const texts = targets.flatMap((target) =>
    TEXTS.map(([title, text]) => ({
      title: `${title} to ${target.path === places.installation ? 'an installation' : target.path}`,
      ...target,
      body: text.replaceAll('CANARY', places.token),
      code: 'invalid_request' as const,
    })),
  );
  const bytes = [
    ['a byte that is no UTF-8', [0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]],
    ['an overlong NUL', [0x7b, 0x22, 0xc0, 0x80, 0x22, 0x3a, 0x31, 0x7d]],
    ['a surrogate in UTF-8', [0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]],
    ['UTF-16', [...Buffer.from('{"seq":1}', 'utf16le')]],
  ] as const;
  return [
    ...texts,
    ...bytes.map(([title, body]) => ({
      title,
      method: 'PUT',
      path: places.installation,
      as: 'client' as const,
      body: Uint8Array.from(body),
      code: 'invalid_request' as const,
    })),
  ];
}

/** What is wrong about the envelope: its type, its size, its method, its address. */
export function badEnvelopes(places: Places): readonly BadRequest[] {
  const put = { method: 'PUT', path: places.installation, as: 'client' } as const;
  const body = { seq: 90, token: { provider: 'fcm', value: places.token } };
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/xml',
    'multipart/form-data; boundary=x',
    'application/json-seq',
    'application/octet-stream',
    'nonsense',
  ];
  const large = { seq: 90, device: { label: 'x'.repeat(300_000) } };
  const unrouted = (method: string, path: string, as: BadRequest['as']): BadRequest => ({
    title: `${method} ${path.replace(places.installation, '/v1/installations/{id}')}`,
    method,
    path,
    as,
    code: 'not_found',
  });
  return [
    ...types.map((type) => ({
      ...put,
      title: `content type ${type}`,
      headers: { 'content-type': type },
      body: JSON.stringify(body),
      code: 'unsupported_media_type' as const,
    })),
    { ...put, title: 'a body of 300,000 bytes', body: large, code: 'body_too_large' },
    {
      ...put,
      title: 'a large body to the simple route',
      method: 'POST',
      path: '/register-token',
      as: 'back_end',
      body: { token: 'x'.repeat(300_000) },
      code: 'body_too_large',
    },
    { ...put, title: 'no body', code: 'validation_failed' },
    ...[null, true, 1, 'text', []].map((value) => ({
      ...put,
      title: `the body ${JSON.stringify(value)}`,
      body: JSON.stringify(value),
      code: 'validation_failed' as const,
    })),
    unrouted('PATCH', places.installation, 'client'),
    unrouted('POST', places.installation, 'client'),
    unrouted('POST', '/v1/users/42', 'back_end'),
    unrouted('DELETE', '/v1/notifications', 'back_end'),
    unrouted('GET', '/v1', 'back_end'),
    unrouted('GET', '/v1/installation', 'back_end'),
    unrouted('GET', `${places.installation}/secrets`, 'client'),
    unrouted('GET', '/v1/../v1/nothing', 'back_end'),
    unrouted('GET', '/.env', 'back_end'),
    unrouted('GET', '/v1/users/%', 'back_end'),
    unrouted('GET', '/v1/users/%E0%A4%A', 'back_end'),
    unrouted('GET', '/v1/users/%ED%A0%80', 'back_end'),
  ];
}
