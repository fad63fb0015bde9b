import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createUserAgent } from '../src/index.ts';
import { decryptContent, readEncryptedContent } from '../src/webpush/encrypted-content.ts';
import { request, startWebPush } from './webpush-client.ts';
import { seal } from './webpush-sender.ts';

/** RFC 8291 appendix A. */
const WATERMELON = {
  privateKey: 'q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94',
  publicKey:
    'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
  auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  body:
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS' +
    '6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qu' +
    'lcy4a-fN',
  plaintext: 'When I grow up, I want to be a watermelon',
} as const;

/** RFC 8188 section 3: one record, and two. */
const WALRUSES = [
  {
    keying: 'yqdlZ-tYemfogSmv7Ws5PQ',
    keyId: '',
    body: 'I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg',
  },
  {
    keying: 'BO3ZVPxUlnLORbVGMpbT1Q',
    keyId: 'a1',
    body:
      'uNCkWiNYzKTnBN9ji3-qWAAAABkCYTHOG8chz_gnvgOqdGYovxyjuqRyJFjEDyoF1Fvkj6hQPdPHI51O' +
      'EUKEpgz3SsLWIqS_uA',
  },
] as const;

/** RFC 8292 section 2.4, and the example of autopush's documentation. */
const TOKENS = [
  {
    origin: 'https://push.example.net',
    expiresAtSeconds: 1_453_523_768,
    token:
      'eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiO' +
      'jE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkM' +
      'lMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA',
    key: 'BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs',
  },
  {
    origin: 'https://push.services.mozilla.com',
    expiresAtSeconds: 1_713_564_872,
    token:
      'eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guc2VydmljZXMubW96aWxsYS5jb2' +
      '0iLCJleHAiOjE3MTM1NjQ4NzIsInN1YiI6Im1haWx0bzphZG1pbkBleGFtcGxlLmNvbSJ9.t7uOYm8nbqFkuNpDeln-' +
      'UeqSC58xu96Mc9tUVifQu1zAAndHYwvMd3-u--PuUo3S_VrqYXEaIlNIOOrGd3iUBA',
    key: 'BLMymkOqvT6OZ1o9etCqV4jGPkvOXNz5FdBjsAR9zR5oeCV1x5CBKuSLTlHon-H_boHTzMtMoNHsAGDlDB6X7vI',
  },
] as const;

const bytes = (text: string): Buffer => Buffer.from(text, 'base64url');

describe('a simulated browser', () => {
  it('opens the example of RFC 8291', () => {
    const browser = createUserAgent(WATERMELON);
    assert.equal(browser.keys.p256dh, WATERMELON.publicKey);
    const opened = browser.open(bytes(WATERMELON.body));
    assert(opened.ok);
    assert.equal(opened.plaintext.toString(), WATERMELON.plaintext);
  });

  for (const { keying, keyId, body } of WALRUSES) {
    it(`opens the example of RFC 8188 with the key id "${keyId}"`, () => {
      const content = readEncryptedContent(bytes(body));
      assert(content !== null);
      assert.equal(content.keyId.toString(), keyId);
      const opened = decryptContent(content, bytes(keying));
      assert(opened.ok, opened.ok ? '' : opened.problem);
      assert.equal(opened.plaintext.toString(), 'I am the walrus');
    });
  }

  it('removes padding', () => {
    const browser = createUserAgent();
    const opened = browser.open(seal(browser, 'short', 1000));
    assert(opened.ok);
    assert.equal(opened.plaintext.toString(), 'short');
  });

  it('says what is wrong with a message that it cannot open', () => {
    const browser = createUserAgent();
    const body = seal(browser, 'text');
    const problemOf = (broken: Buffer): string => {
      const opened = browser.open(broken);
      return opened.ok ? 'none' : opened.problem;
    };
    const tampered = Buffer.from(body);
    tampered.writeUInt8(tampered.readUInt8(tampered.length - 1) ^ 1, tampered.length - 1);
    const offCurve = Buffer.from(body);
    offCurve.writeUInt8(offCurve.readUInt8(50) ^ 1, 50);
    assert.deepEqual(
      [tampered, offCurve, body.subarray(0, 20), seal(createUserAgent(), 'text')].map(problemOf),
      [
        'record 0 cannot be decrypted',
        'the key id is no public key',
        'the header cannot be read',
        'record 0 cannot be decrypted',
      ],
    );
  });
});

describe('a simulated Web Push service', () => {
  for (const { origin, expiresAtSeconds, token, key } of TOKENS) {
    it(`takes the published VAPID token for ${origin}, until it expires`, async () => {
      let nowMs = expiresAtSeconds * 1000 - 1000;
      await using simulator = await startWebPush('google', { origin, clock: () => nowMs });
      const headers = { authorization: `vapid t=${token}, k=${key}`, ttl: '15' };
      const path = '/fcm/send/0123456789abcdef';
      assert.equal((await request(simulator, 'POST', path, { headers })).status, 201);
      nowMs += 1000;
      assert.equal((await request(simulator, 'POST', path, { headers })).status, 403);
    });
  }
});
