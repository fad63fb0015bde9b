import { randomUUID } from 'node:crypto';
import { MISTAKEN_USER_IDS } from './bad-request.ts';
import {
  createForgingKey,
  goodClaims,
  signHmac,
  signingInput,
  type ForgingKey,
  type Members,
} from './forged-assertion.ts';

export interface ForgeryPlaces {
  readonly appId: string;
  readonly otherAppId: string;
  readonly userId: string;
  readonly installationId: string;
  readonly now: Date;
  /** The app's own key, known under `key-1`, and that of the other app. */
  readonly key: ForgingKey;
  readonly otherKey: ForgingKey;
  /** Of the app's shared secret, known under `hmac-1`. */
  readonly hmacSecret: Buffer;
}

type Forgery = readonly [string, string];

const HEADER = { alg: 'ES256', kid: 'key-1' };
const json = JSON.stringify;

/** Assertions that have to be refused (scenario S35 and what the literature on JWT adds). */
export function badAssertions(places: ForgeryPlaces): readonly Forgery[] {
  return [
    ...withoutValue(places),
    ...withConfusedKeys(places),
    ...withWrongHeaders(places),
    ...withWrongClaims(places),
    ...withWrongText(places),
  ];
}

function claimsOf({ appId, userId, installationId, now }: ForgeryPlaces): Members {
  return goodClaims(appId, userId, installationId, now);
}

function withoutValue(places: ForgeryPlaces): readonly Forgery[] {
  const claims = json(claimsOf(places));
  const good = places.key.signText(json(HEADER), claims);
  const [header = '', payload = '', signature = ''] = good.split('.');
  const other = Buffer.from(json({ ...claimsOf(places), sub: 'somebody' })).toString('base64url');
  const zeros = Buffer.alloc(64).toString('base64url');
  return [
    ...['none', 'None', 'NONE', 'nOnE', ''].map((alg): Forgery => [
      `alg "${alg}"`,
      `${signingInput(json({ alg, kid: 'key-1' }), claims)}.`,
    ]),
    ['alg none without kid', `${signingInput(json({ alg: 'none' }), claims)}.`],
    ['alg none that keeps a signature', `${signingInput('{"alg":"none"}', claims)}.${signature}`],
    ['no signature', `${header}.${payload}.`],
    ['no third part', `${header}.${payload}`],
    ['a signature of zeros', `${header}.${payload}.${zeros}`],
    ['a signature cut short', good.slice(0, -8)],
    ['a signature with more', `${good}AAAA`],
    ["another's payload", `${header}.${other}.${signature}`],
    ['a signature of another assertion', `${header}.${payload}.${another(places)}`],
    ['an empty text', ''],
    ['null as text', 'null'],
    ['dots', '..'],
    ['four parts', `${good}.${signature}`],
    ['five parts', `${header}..${payload}.${signature}.${signature}`],
    ['a JSON object', json({ payload, signatures: [{ protected: header, signature }] })],
    ['no base64url', `${header}.${payload}.***`],
  ];
}

function another(places: ForgeryPlaces): string {
  const text = json({ ...claimsOf(places), jti: randomUUID() });
  return places.key.signText(json(HEADER), text).split('.')[2] ?? '';
}

function withConfusedKeys(places: ForgeryPlaces): readonly Forgery[] {
  const claims = json(claimsOf(places));
  const { publicKey, publicJwk } = places.key;
  const secrets: readonly (readonly [string, string | Buffer])[] = [
    ['the public key as PEM', publicKey.export({ type: 'spki', format: 'pem' })],
    ['the public key as DER', publicKey.export({ type: 'spki', format: 'der' })],
    ['the public JWK', json(publicJwk)],
    ['an empty secret', ''],
    ['the key id', 'key-1'],
    ['the app id', places.appId],
  ];
  const hmac = secrets.flatMap(([title, secret]) =>
    [{ kid: 'key-1' }, {}, { kid: 'hmac-1' }].map((kid): Forgery => [
      `HS256 with ${title} ${json(kid)}`,
      signHmac(json({ alg: 'HS256', ...kid }), claims, secret),
    ]),
  );
  const attacker = createForgingKey();
  const header = (members: Members): string => json({ ...HEADER, ...members });
  const jwksUrl = 'https://evil.example/jwks.json';
  return [
    ...hmac,
    ['the key of the other app', places.otherKey.signText(json(HEADER), claims)],
    ['a key of nobody', attacker.signText(json(HEADER), claims)],
    ['a key that it brings along', attacker.signText(header({ jwk: attacker.publicJwk }), claims)],
    ['a key set that it names', attacker.signText(header({ jku: jwksUrl }), claims)],
    ['a certificate that it names', attacker.signText(header({ x5u: jwksUrl }), claims)],
    ['a certificate that it brings', attacker.signText(header({ x5c: ['AAAA'] }), claims)],
  ];
}

function withWrongHeaders(places: ForgeryPlaces): readonly Forgery[] {
  const claims = json(claimsOf(places));
  const signed = (title: string, header: string): Forgery => [
    title,
    places.key.signText(header, claims),
  ];
  return [
    ...[
      '../../../../dev/null',
      '/dev/null',
      "' or '1'='1",
      'key-2',
      'KEY-1',
      'hmac-1',
      'key-1\u0000',
      '',
      'x'.repeat(1_000),
    ].map((kid) => signed(`kid ${json(kid).slice(0, 24)}`, json({ alg: 'ES256', kid }))),
    ...['ES384', 'RS256', 'PS256', 'EdDSA', 'es256', 'HS256'].map((alg) =>
      signed(`alg ${alg} over a signature of ES256`, json({ alg, kid: 'key-1' })),
    ),
    signed('no alg', json({ kid: 'key-1' })),
    signed('a number as alg', json({ alg: 256, kid: 'key-1' })),
    signed('an array as alg', json({ alg: ['ES256'], kid: 'key-1' })),
    signed(
      'crit',
      json({ ...HEADER, crit: ['https://example.com/x'], 'https://example.com/x': 1 }),
    ),
    signed('crit of a registered header', json({ ...HEADER, crit: ['kid'] })),
    signed('an empty crit', json({ ...HEADER, crit: [] })),
    signed('crit that is no array', json({ ...HEADER, crit: 'kid' })),
    signed('an unencoded payload', json({ ...HEADER, crit: ['b64'], b64: false })),
    signed('a duplicated alg', '{"alg":"none","alg":"ES256","kid":"key-1"}'),
    signed('a duplicated kid', '{"alg":"ES256","kid":"key-2","kid":"key-1"}'),
    signed('an array as header', json([HEADER])),
    signed('a header that is no JSON', '{"alg":"ES256"'),
  ];
}

function withWrongClaims(places: ForgeryPlaces): readonly Forgery[] {
  const claims = claimsOf(places);
  const iat = Number(claims['iat']);
  const wrong: readonly (readonly [string, Members])[] = [
    ['another audience', { aud: places.otherAppId }],
    ['an audience without its prefix', { aud: places.appId.slice(4) }],
    ['a list of audiences', { aud: [places.appId] }],
    ['no audience', { aud: undefined }],
    ['an empty audience', { aud: '' }],
    ['an end in the past', { iat: iat - 600, exp: iat - 61 }],
    ['an end long ago', { iat: 0, exp: 300 }],
    ['an issue in ten minutes', { iat: iat + 600, exp: iat + 900 }],
    ['an issue in two minutes', { iat: iat + 120, exp: iat + 400 }],
    ['an end too far away', { exp: iat + 601 }],
    ['an end in a hundred years', { exp: iat + 3_000_000_000 }],
    ['an endless end', { exp: 1e308 }],
    ['an end before its issue', { exp: iat - 100 }],
    ['no issue', { iat: undefined }],
    ['no end', { exp: undefined }],
    ['a text as issue', { iat: String(iat) }],
    ['a text as end', { exp: String(iat + 300) }],
    ['null as end', { exp: null }],
    ['a start in the future', { nbf: iat + 200 }],
    ['an array as user', { sub: [places.userId] }],
    ['a number as user', { sub: 42 }],
    ['an object as user', { sub: { id: places.userId } }],
    ['no user', { sub: undefined }],
    ['another user', { sub: 'somebody' }],
    ['the user in capitals', { sub: places.userId.toUpperCase() }],
    ['the user with a space', { sub: `${places.userId} ` }],
    ['the user with a NUL', { sub: `${places.userId}\u0000` }],
    ...MISTAKEN_USER_IDS.map((sub) => [`user ${json(sub).slice(0, 20)}`, { sub }] as const),
    ['no installation', { iid: undefined }],
    ['another installation', { iid: randomUUID() }],
    ['a list of installations', { iid: [places.installationId] }],
    ['an oversized claim', { padding: 'x'.repeat(9_000) }],
    ['a hundred kilobytes', { padding: 'x'.repeat(100_000) }],
  ];
  return wrong.map(([title, members]): Forgery => [
    title,
    places.key.signText(json(HEADER), json({ ...claims, ...members })),
  ]);
}

function withWrongText(places: ForgeryPlaces): readonly Forgery[] {
  const text = json(claimsOf(places)).slice(1);
  const signed = (title: string, payload: string): Forgery => [
    title,
    places.key.signText(json(HEADER), payload),
  ];
  return [
    signed('a duplicated user', `{"sub":"somebody",${text}`),
    signed('a duplicated audience', `{"aud":"${places.otherAppId}",${text}`),
    signed('a duplicated end', `{"exp":1,${text}`),
    signed('a duplicated user, once escaped', `{"\\u0073ub":"somebody",${text}`),
    signed('a lone surrogate', `{"x":"\\ud800",${text}`),
    signed('__proto__', `{"__proto__":{"sub":"somebody"},${text}`),
    signed('an array as payload', `[{${text}]`),
    signed('a text as payload', '"anna"'),
    signed('an empty payload', ''),
    signed('a payload that is no JSON', `{${text.slice(0, -1)}`),
    signed('a deep payload', `{"x":${'['.repeat(500)}${']'.repeat(500)},${text}`),
  ];
}
