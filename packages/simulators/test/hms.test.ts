import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  account,
  androidMessage,
  app,
  codeOf,
  harmonyMessage,
  PATHS,
  pushToken,
  requestToken,
  signature,
  startSender,
} from './hms-client.ts';
import { jsonOf } from './http2-client.ts';
import { startInspection } from '../src/index.ts';

const OTHER_KEY_PEM = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();

describe("the simulator of Huawei's token endpoint", () => {
  it('issues a token for the form that Huawei documents', async () => {
    await using sender = await startSender();
    const reply = await requestToken(sender.simulator);
    const { expires_in: expiresIn, token_type: tokenType } = jsonOf(reply);
    assert.deepEqual([reply.status, expiresIn, tokenType], [200, 3600, 'Bearer']);
    const [entry] = sender.simulator.journal.entries();
    assert.equal(entry?.body, null);
  });

  it('refuses another form, and a client that it does not know', async () => {
    await using sender = await startSender();
    const wrong = [
      [{ client_secret: 'x' }, 1101],
      [{ client_id: 'x' }, 1101],
      [{ grant_type: 'password' }, 1102],
    ] as const;
    for (const [form, error] of wrong) {
      const reply = await requestToken(sender.simulator, form);
      assert.equal(reply.status, 400);
      assert.equal(jsonOf(reply).error, error);
      assert.equal(typeof jsonOf(reply).error_description, 'string');
    }
    const json = await requestToken(sender.simulator, {}, 'application/json');
    assert.equal(json.status, 400);
  });
});

describe('the simulator of Push Kit', () => {
  it('takes an access token on v1 and v2, by app id, client id or project id', async () => {
    await using sender = await startSender();
    const message = androidMessage([pushToken()]);
    for (const path of [PATHS.v1, PATHS.v2, `/v1/${app.clientId}/messages:send`]) {
      const reply = await sender.send(message, { path });
      assert.deepEqual([reply.status, codeOf(reply)], [200, '80000000']);
      assert.match(String(jsonOf(reply).requestId), /^\d+$/);
    }
    for (const path of ['/v1/1/messages:send', '/v2/1/messages:send']) {
      assert.equal(codeOf(await sender.send(message, { path })), '80300002');
    }
    for (const path of ['/v4/1/messages:send', '/v1/messages:send', '/']) {
      assert.equal(codeOf(await sender.send(message, { path })), 404);
    }
    assert.equal(codeOf(await sender.send(message, { bearer: null })), 401);
  });

  it('tells an unknown access token from one that has expired', async () => {
    let nowMs = Date.now();
    await using sender = await startSender({ clock: () => nowMs });
    const message = androidMessage([pushToken()]);
    assert.equal(codeOf(await sender.send(message, { bearer: 'unknown' })), '80200001');
    nowMs += 3_601_000;
    assert.equal(codeOf(await sender.send(message)), '80200003');
    sender.simulator.revokeTokens();
    assert.equal(codeOf(await sender.send(message)), '80200001');
  });

  it('takes the signature of a service account on v2 and v3, and nothing else on v3', async () => {
    await using sender = await startSender();
    const bearer = signature();
    const toHarmony = { path: PATHS.v3, pushType: '0' };
    const message = harmonyMessage([pushToken()]);
    const old = await sender.send(androidMessage([pushToken()]), { path: PATHS.v2, bearer });
    assert.equal(codeOf(old), '80000000');
    assert.equal(codeOf(await sender.send(message, { ...toHarmony, bearer })), '80000000');
    assert.equal(codeOf(await sender.send(message, toHarmony)), '80200001');
  });

  it('verifies a signature: algorithm, salt, key, issuer, audience and times', async () => {
    await using sender = await startSender();
    const nowSeconds = Math.floor(Date.now() / 1000);
    const wrong = [
      [{ header: { alg: 'RS256' } }, '80200001'],
      [{ header: { alg: 'none' } }, '80200001'],
      [{ header: { kid: 'other' } }, '80200001'],
      [{ saltLength: 20 }, '80200001'],
      [{ privateKeyPem: OTHER_KEY_PEM }, '80200001'],
      [{ claims: { iss: 'other' } }, '80200001'],
      [{ claims: { aud: 'https://example.com/token' } }, '80200001'],
      [{ claims: { exp: nowSeconds + 7200 } }, '80200001'],
      [{ claims: { iat: nowSeconds + 600, exp: nowSeconds + 700 } }, '80200001'],
      [{ claims: { iat: nowSeconds - 3700, exp: nowSeconds - 100 } }, '80200005'],
    ] as const;
    assert.equal(account.json.key_id, account.keyId);
    for (const [draft, code] of wrong) {
      const more = { path: PATHS.v3, pushType: '0', bearer: signature(draft) };
      const reply = await sender.send(harmonyMessage([pushToken()]), more);
      assert.equal(codeOf(reply), code, JSON.stringify(draft));
    }
  });

  it('names the mistakes of a message by their codes', async () => {
    await using sender = await startSender();
    const token = [pushToken()];
    const many = Array.from({ length: 1001 }, () => pushToken());
    const mistakes = [
      ['{', '80100001'],
      [{ message: { data: 'x' } }, '80100001'],
      [androidMessage([]), '80100001'],
      [androidMessage(many), '80300010'],
      [{ message: { token, data: 'x'.repeat(4096) } }, '80300008'],
      [{ message: { token } }, '80100003'],
      [{ message: { token, data: {} } }, '80100003'],
      [androidMessage(token, { notification: { title: 'x' } }), '80100003'],
      [androidMessage(token, { collapse_key: 101 }), '80100013'],
      [androidMessage(token, { collapse_key: 1.5 }), '80100013'],
      [androidMessage(token, { ttl: '0s' }), '80100004'],
      [androidMessage(token, { ttl: 60 }), '80100004'],
      [androidMessage(token, { ttl: '1296001s' }), '80100004'],
      [androidMessage(token, { urgency: 'HIGH' }), '80300011'],
      [androidMessage(many.slice(1)), '80000000'],
    ] as const;
    for (const [body, code] of mistakes) {
      assert.equal(codeOf(await sender.send(body)), code, JSON.stringify(body).slice(0, 200));
    }
    sender.simulator.knobs.highPriorityGranted = true;
    const high = await sender.send(androidMessage(token, { urgency: 'HIGH' }));
    assert.equal(codeOf(high), '80000000');
  });

  it('names the mistakes of a message for HarmonyOS NEXT', async () => {
    await using sender = await startSender();
    const token = [pushToken()];
    const bearer = signature();
    const mistakes = [
      [harmonyMessage(token), undefined, '80100001'],
      [harmonyMessage(token), '99', '80100001'],
      [androidMessage(token), '0', '80100001'],
      [harmonyMessage(token, { payload: { notification: { title: 'x' } } }), '0', '80100003'],
      [harmonyMessage(token), '6', '80100003'],
      [harmonyMessage(token, { payload: { extraData: 'x' } }), '6', '80000000'],
      [harmonyMessage(token, { pushOptions: { ttl: '60s' } }), '0', '80100004'],
      [harmonyMessage(token, { pushOptions: { ttl: 60 } }), '0', '80000000'],
    ] as const;
    for (const [body, pushType, code] of mistakes) {
      const more = { path: PATHS.v3, bearer, ...(pushType === undefined ? {} : { pushType }) };
      assert.equal(codeOf(await sender.send(body, more)), code, JSON.stringify(body));
    }
  });

  it('reports illegal tokens among others in JSON within a string, and takes the others', async () => {
    await using sender = await startSender();
    const [fine, gone, next] = [pushToken(), pushToken('sim-illegal:'), pushToken('sim-harmony:')];
    const reply = await sender.send(androidMessage([gone, fine, next]));
    assert.deepEqual([reply.status, codeOf(reply)], [200, '80100000']);
    assert.deepEqual(JSON.parse(String(jsonOf(reply).msg)), {
      success: 1,
      failure: 2,
      illegal_tokens: [gone, next],
    });
    const shown = [fine, gone, next].map(
      (token) => sender.simulator.devices.view(token).shown.length,
    );
    assert.deepEqual(shown, [1, 0, 0]);
    assert.equal(codeOf(await sender.send(androidMessage([gone, next]))), '80300007');
  });

  it('keeps tokens of HarmonyOS NEXT and others apart, in each version of the API', async () => {
    await using sender = await startSender({ mode: 'validating' });
    const [old, next, unknown] = [pushToken(), pushToken(), pushToken()];
    sender.simulator.devices.set(old, { kind: 'live' });
    sender.simulator.devices.set(next, { kind: 'harmony' });
    const toHarmony = { path: PATHS.v3, pushType: '0', bearer: signature() };
    for (const [token, onV1, onV3] of [
      [old, '80000000', '80300007'],
      [next, '80300007', '80000000'],
      [unknown, '80300007', '80300007'],
    ] as const) {
      assert.equal(codeOf(await sender.send(androidMessage([token]))), onV1);
      assert.equal(codeOf(await sender.send(harmonyMessage([token]), toHarmony)), onV3);
    }
  });

  it('may give refusals a status of their own', async () => {
    await using sender = await startSender({ knobs: { errorsComeWith200: false } });
    const message = androidMessage([pushToken('sim-illegal:')]);
    assert.equal((await sender.send(message)).status, 400);
    assert.equal((await sender.send(message, { bearer: 'x' })).status, 401);
  });

  it('stores for an absent device what its collapse keys keep', async () => {
    await using sender = await startSender();
    const token = pushToken();
    sender.simulator.devices.setOnline(token, false);
    for (const key of [1, 1, 2, -1, -1]) {
      await sender.send(androidMessage([token], { collapse_key: key }));
    }
    assert.equal(sender.simulator.devices.view(token).stored.length, 4);
  });

  it('can be looked at, and told what becomes of a token, from outside', async () => {
    await using sender = await startSender();
    const { simulator } = sender;
    await using inspection = await startInspection({ apns: [], fcm: null, hms: simulator });
    const token = pushToken();
    const state = { kind: 'illegal' };
    const put = { method: 'PUT', body: JSON.stringify({ state }) };
    const changed = await fetch(`${inspection.url}/devices/hms/${token}`, put);
    assert.equal(changed.status, 200);
    assert.deepEqual(simulator.devices.get(token), state);
    const overview: unknown = await (await fetch(inspection.url)).json();
    assert.match(JSON.stringify(overview), /"provider":"hms"/);
  });

  it('judges a message that is only to be validated, and shows it to nobody', async () => {
    await using sender = await startSender();
    const token = pushToken();
    const message = { ...(androidMessage([token]) as object), validate_only: true };
    assert.equal(codeOf(await sender.send(message)), '80000000');
    assert.deepEqual(sender.simulator.devices.view(token).shown, []);
  });
});
