import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PERSONALITIES, startPair } from './webpush-client.ts';
import type { PushDraft } from './webpush-client.ts';
import { seal } from './webpush-sender.ts';
import type { TokenDraft } from './webpush-sender.ts';

type Pair = Awaited<ReturnType<typeof startPair>>;

/** A request that is wrong in one respect, and the answers in the order of the personalities. */
type Case = readonly [
  what: string,
  draft: (pair: Pair) => PushDraft,
  answers: readonly [google: string, mozilla: string, apple: string, wns: string],
];

const headers = (headers: PushDraft['headers']) => (): PushDraft => ({ headers: headers ?? {} });

const token =
  (draft: TokenDraft) =>
  ({ sender, simulator }: Pair): PushDraft => ({
    headers: { authorization: sender.authorization(simulator.origin, draft) },
  });

/** The first half of the pair's own authorization, with another second half. */
const keyed =
  (change: (key: string) => string) =>
  ({ authorization, sender }: Pair): PushDraft => ({
    headers: { authorization: authorization.replace(`, k=${sender.key}`, change(sender.key)) },
  });

const inHours = (hours: number): number => Math.floor(Date.now() / 1000) + hours * 3600;

/** A body of exactly so many bytes in all. */
const sized =
  (bytes: number) =>
  ({ subscription }: Pair): PushDraft => ({ body: seal(subscription, 'x', bytes - 104) });

const BAD_TOKEN = ['403 invalid-jwt', '401 errno 109', '403 BadJwtToken', '401 *'] as const;
const BAD_HEADER = ['401 errno 109', '403 BadAuthorizationHeader', '401 *'] as const;
const TAKEN = '201';

const CASES: readonly Case[] = [
  ['nothing wrong', () => ({}), [TAKEN, TAKEN, TAKEN, TAKEN]],
  [
    'no authorization',
    headers({ authorization: undefined }),
    ['401 no-authorization', ...BAD_HEADER],
  ],
  [
    'another scheme',
    headers({ authorization: 'Bearer x' }),
    ['401 no-authorization', ...BAD_HEADER],
  ],
  ['no token', headers({ authorization: 'vapid k=x' }), ['403 invalid-jwt', ...BAD_HEADER]],
  ['no key', keyed(() => ''), ['400 bad-key', ...BAD_HEADER]],
  [
    'half a key',
    keyed((key) => `, k=${key.slice(0, 40)}`),
    ['400 bad-key', '401 errno 109', '400 BadVapidPublicKey', '401 *'],
  ],
  ['a comma without a space', keyed((key) => `,k=${key}`), [TAKEN, TAKEN, TAKEN, TAKEN]],
  [
    'a scheme in capitals',
    ({ authorization }) => ({
      headers: { authorization: authorization.replace('vapid', 'VAPID') },
    }),
    [TAKEN, TAKEN, TAKEN, TAKEN],
  ],
  ['another algorithm', token({ header: { alg: 'HS256' } }), BAD_TOKEN],
  [
    'the signature of another key',
    ({ sender, authorization, simulator }) => {
      const other = sender.authorization(simulator.origin, {
        claims: { sub: 'mailto:a@b.example' },
      });
      const [signed = ''] = authorization.split(/\.[^.]*,/);
      const [, signature = ''] = /\.([^.]*),/.exec(other) ?? [];
      return { headers: { authorization: `${signed}.${signature}, k=${sender.key}` } };
    },
    BAD_TOKEN,
  ],
  ['another audience', token({ claims: { aud: 'https://push.example.net' } }), BAD_TOKEN],
  ['an expiry as text', token({ claims: { exp: String(inHours(1)) } }), BAD_TOKEN],
  ['an expiry in the past', token({ claims: { exp: inHours(-1) } }), BAD_TOKEN],
  ['an expiry after 25 hours', token({ claims: { exp: inHours(25) } }), BAD_TOKEN],
  ['an expiry within a day', token({ claims: { exp: inHours(23) } }), [TAKEN, TAKEN, TAKEN, TAKEN]],
  [
    'a local mailbox',
    token({ claims: { sub: 'mailto:me@localhost' } }),
    [TAKEN, TAKEN, '403 BadJwtToken', TAKEN],
  ],
  ['no subject', token({ claims: { sub: undefined } }), [TAKEN, TAKEN, '403 BadJwtToken', TAKEN]],
  [
    'a web address as subject',
    token({ claims: { sub: 'https://example.com' } }),
    [TAKEN, TAKEN, TAKEN, TAKEN],
  ],
  ['no TTL', headers({ ttl: undefined }), ['400 bad-ttl', '400 errno 111', '400 BadTtl', '400 *']],
  [
    'a TTL in words',
    headers({ ttl: 'long' }),
    ['400 bad-ttl', '400 errno 112', '400 BadTtl', '400 *'],
  ],
  [
    'a TTL below zero',
    headers({ ttl: '-1' }),
    ['400 bad-ttl', '400 errno 114', '400 BadTtl', '400 *'],
  ],
  [
    'a TTL of zero',
    headers({ ttl: '0' }),
    [TAKEN, TAKEN, TAKEN, '400 TTL/X-WNS-Cache-Policy conflict'],
  ],
  [
    'a TTL of zero and no cache',
    headers({ ttl: '0', 'x-wns-cache-policy': 'no-cache' }),
    [TAKEN, TAKEN, TAKEN, TAKEN],
  ],
  [
    'a TTL and no cache',
    headers({ 'x-wns-cache-policy': 'no-cache' }),
    [TAKEN, TAKEN, TAKEN, '400 TTL/X-WNS-Cache-Policy conflict'],
  ],
  [
    'two urgencies',
    headers({ urgency: 'low, high' }),
    ['400 bad-urgency', '400 errno null', '400 BadUrgency', '400 *'],
  ],
  ['an urgency', headers({ urgency: 'very-low' }), [TAKEN, TAKEN, TAKEN, TAKEN]],
  [
    'a topic of 33 characters',
    headers({ topic: 'a'.repeat(33) }),
    ['400 bad-topic', '400 errno 113', '400 BadWebPushTopic', '400 *'],
  ],
  [
    'a topic with a dot',
    headers({ topic: 'a.b.' }),
    ['400 bad-topic', '400 errno 113', '400 BadWebPushTopic', '400 *'],
  ],
  [
    'a topic with an equals sign',
    headers({ topic: 'abc=' }),
    ['400 bad-topic', TAKEN, '400 BadWebPushTopic', '400 *'],
  ],
  [
    'a topic of 13 characters',
    headers({ topic: 'order-42-news' }),
    [TAKEN, TAKEN, '400 BadWebPushTopic', TAKEN],
  ],
  ['a topic of 32 characters', headers({ topic: 'a'.repeat(32) }), [TAKEN, TAKEN, TAKEN, TAKEN]],
  [
    'no encoding',
    headers({ 'content-encoding': undefined }),
    ['400 bad-encoding', '400 errno 110', '400 BadWebPushRequest', '400 *'],
  ],
  [
    'the older encoding',
    headers({ 'content-encoding': 'aesgcm' }),
    ['400 bad-encoding', '400 errno 110', '400 BadWebPushRequest', '400 *'],
  ],
  [
    'a body that is not encrypted',
    () => ({ body: Buffer.from('hello there') }),
    [TAKEN, TAKEN, '400 BadWebPushRequest', TAKEN],
  ],
  ['a body of 4096 bytes', sized(4096), [TAKEN, TAKEN, TAKEN, TAKEN]],
  [
    'a body of 4097 bytes',
    sized(4097),
    ['400 payload-too-large-text', TAKEN, '413 PayloadTooLarge', '413 *'],
  ],
  [
    'a body of 5631 bytes',
    sized(5631),
    ['400 payload-too-large-text', '413 errno 104', '413 PayloadTooLarge', '413 *'],
  ],
  ['PUT', () => ({ method: 'PUT' }), ['405 *', '405 errno null', '405 MethodNotAllowed', '405 *']],
  ['another path', () => ({ path: '/a/b/c' }), ['404 *', '404 errno 102', '404 BadPath', '404 *']],
];

describe('what Web Push services say to a request with', () => {
  for (const [index, personality] of PERSONALITIES.entries()) {
    for (const [what, draft, answers] of CASES) {
      it(`${what}: ${personality} ${answers[index]}`, async () => {
        await using pair = await startPair(personality);
        const reply = await pair.push('hello', draft(pair));
        const [entry] = pair.simulator.journal.entries();
        assert(entry?.answer);
        const { status, reason } = entry.answer;
        assert.equal([status, reason].filter((part) => part !== null).join(' '), answers[index]);
        assert.equal(reply.status, status);
        assert.equal(entry.accepted, answers[index] === TAKEN);
        assert.equal(entry.headers.authorization, undefined);
      });
    }
  }
});
