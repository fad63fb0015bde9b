import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
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
    ...withOtherSpelling(places),
    ...withOtherSignature(places),
    ...nested(places),
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
    signed('b64 without crit', json({ ...HEADER, b64: false })),
    signed('an encoded payload that says so', json({ ...HEADER, crit: ['b64'], b64: true })),
    signed('a compressed payload', json({ ...HEADER, zip: 'DEF' })),
    signed('an encryption', json({ ...HEADER, enc: 'A128GCM' })),
    ...[7, null, true, ['key-1'], { id: 'key-1' }].map((kid) =>
      signed(`${json(kid)} as kid`, json({ alg: 'ES256', kid })),
    ),
    ...['ES256 ', ' ES256', 'Es256', 'eS256', 'ES256\u0000', 'ES256K', 'Ed25519', 'dir'].map(
      (alg) => signed(`alg ${json(alg)}`, json({ alg, kid: 'key-1' })),
    ),
    ...['__proto__', 'constructor', 'toString'].map((alg) =>
      signed(`alg ${alg}`, json({ alg, kid: 'key-1' })),
    ),
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
    ['the user after a NUL', { sub: `\u0000${places.userId}` }],
    ['the user with half a character', { sub: `${places.userId}\ud800` }],
    ['half a character as user', { sub: '\udfff' }],
    ['true as user', { sub: true }],
    ['null as user', { sub: null }],
    ['a number as audience', { aud: 42 }],
    ['null as audience', { aud: null }],
    ['an object as audience', { aud: { id: places.appId } }],
    ['the audience in capitals', { aud: places.appId.toUpperCase() }],
    ['the audience with a space', { aud: `${places.appId} ` }],
    ['two audiences in one text', { aud: `${places.appId} ${places.otherAppId}` }],
    ['an audience beside the app', { aud: [places.appId, places.otherAppId] }],
    ['an empty list of audiences', { aud: [] }],
    ['a list as issue', { iat: [iat] }],
    ['null as issue', { iat: null }],
    ['true as end', { exp: true }],
    ['a list as end', { exp: [iat + 300] }],
    ['a text as start', { nbf: String(iat) }],
    ['an issue before time', { iat: -1e18, exp: iat + 300 }],
    ['null as installation', { iid: null }],
    ['an empty installation', { iid: '' }],
    ['an installation with a space', { iid: `${places.installationId} ` }],
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

/** The same bytes, or nearly, in base64 as only a forgiving decoder reads it. */
function withOtherSpelling(places: ForgeryPlaces): readonly Forgery[] {
  const good = places.key.signText(json(HEADER), json(claimsOf(places)));
  const [header = '', payload = '', signature = ''] = good.split('.');
  // 64 bytes end in a letter of which only two bits count.
  const last = signature.at(-1) ?? '';
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const sibling = alphabet[alphabet.indexOf(last) + 1] ?? '';
  const standard = `${signature.replaceAll('-', '+').replaceAll('_', '/')}==`;
  const spelled: readonly (readonly [string, string])[] = [
    ['padding', `${good}==`],
    ['one sign of padding', `${good}=`],
    ['padding of the header', `${header}=.${payload}.${signature}`],
    ['padding of the payload', `${header}.${payload}=.${signature}`],
    ['the standard alphabet', `${header}.${payload}.${standard}`],
    ['bits that do not count', `${header}.${payload}.${signature.slice(0, -1)}${sibling}`],
    ['a space before it', ` ${good}`],
    ['a space after it', `${good} `],
    ['a line break after it', `${good}\n`],
    [
      'a tab in the signature',
      `${header}.${payload}.${signature.slice(0, 9)}\t${signature.slice(9)}`,
    ],
    ['a space in the payload', `${header}.${payload.slice(0, 9)} ${payload.slice(9)}.${signature}`],
    ['a sign of no alphabet', `${good}!`],
    ['a dot after it', `${good}.`],
    ['a dot before it', `.${good}`],
    ['a header encoded twice', `${toBase64(header)}.${payload}.${signature}`],
    ['a byte order mark', `\ufeff${good}`],
    ['a letter of another script', good.replace(/^e/, '\u0435')],
    ['quotes', `"${good}"`],
    ['its scheme', `Bearer ${good}`],
  ];
  return spelled.map(([title, text]) => [`spelled with ${title}`, text]);
}

/** Signatures that broken verifiers took: CVE-2022-21449, and encodings of other libraries. */
function withOtherSignature(places: ForgeryPlaces): readonly Forgery[] {
  const input = signingInput(json(HEADER), json(claimsOf(places)));
  const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
  const [zero, one] = ['0'.repeat(64), '1'.padStart(64, '0')];
  const numbers: readonly (readonly [string, string])[] = [
    ['zero and zero', zero + zero],
    ['zero and one', zero + one],
    ['one and zero', one + zero],
    ['one and one', one + one],
    ['the order twice', order + order],
    ['the order and one', order + one],
    ['one and the order', one + order],
    ['nothing but ones', 'f'.repeat(128)],
    ['one byte', '00'],
    ['65 bytes', `00${one}${one}`],
    ['DER of zero and zero', '3006020100020100'],
    ['DER of one and one', '3006020101020101'],
  ];
  const broken = numbers.map(([title, hex]): Forgery => [
    `a signature of ${title}`,
    `${input}.${Buffer.from(hex, 'hex').toString('base64url')}`,
  ]);
  const { key, hmacSecret } = places;
  const claims = json(claimsOf(places));
  const [, , good = ''] = key.signText(json(HEADER), claims).split('.');
  const truncated = signHmac(json({ alg: 'HS256', kid: 'hmac-1' }), claims, hmacSecret).slice(
    0,
    -4,
  );
  return [
    ...broken,
    [
      'a signature over another header',
      `${input}.${good}`.replace(/^[^.]+/, toBase64('{"alg":"ES256"}')),
    ],
    ['HS256 cut short', truncated],
    ['HS512 with the secret', signHmac(json({ alg: 'HS512', kid: 'hmac-1' }), claims, hmacSecret)],
    [
      'HS256 under the id of the public key',
      signHmac(json({ alg: 'HS256', kid: 'key-1' }), claims, hmacSecret),
    ],
    [
      'HS256 with the secret in hex',
      signHmac(json({ alg: 'HS256' }), claims, hmacSecret.toString('hex')),
    ],
    ['RS256 with a tiny key', signTiny(json({ alg: 'RS256', kid: 'key-1' }), claims)],
  ];
}

function signTiny(header: string, claims: string): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 512 });
  const input = signingInput(header, claims);
  return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
}

/** Tokens of other kinds, and tokens in tokens. */
function nested(places: ForgeryPlaces): readonly Forgery[] {
  const claims = json(claimsOf(places));
  const good = places.key.signText(json(HEADER), claims);
  const encrypted = (header: Members): string =>
    [json(header), 'key', 'iv', claims, 'tag'].map(toBase64).join('.');
  return [
    ['a JWT in a JWT', places.key.signText(json({ ...HEADER, cty: 'JWT' }), good)],
    ['a JWT as JSON text', places.key.signText(json({ ...HEADER, cty: 'JWT' }), json(good))],
    ['a JWE', encrypted({ alg: 'RSA-OAEP', enc: 'A128GCM' })],
    ['a JWE by the secret', encrypted({ alg: 'dir', enc: 'A256GCM', kid: 'hmac-1' })],
    ['a JWE by a password', encrypted({ alg: 'PBES2-HS256+A128KW', p2c: 1e9, enc: 'A128GCM' })],
    ['a flattened JWS', json({ ...signedParts(good) })],
    ['a PASETO', `v4.public.${toBase64(claims)}`],
    ['a SAML assertion', toBase64('<saml:Assertion/>')],
    ['an access key', `hmg_sk_test_${'x'.repeat(36)}`],
  ];
}

function signedParts(text: string) {
  const [header, payload, signature] = text.split('.');
  return { protected: header, payload, signature };
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64url');
}
