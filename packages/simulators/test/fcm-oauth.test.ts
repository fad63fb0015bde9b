import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createServiceAccount } from '../src/index.ts';
import {
  PROJECT,
  accessToken,
  assertion,
  connectTo,
  grantForm,
  registrationToken,
  requestToken,
  send,
  sendOverHttp1,
  startFcm,
  startSender,
} from './fcm-client.ts';
import type { AssertionDraft } from './fcm-client.ts';
import { manualClock } from './apns-client.ts';
import { jsonOf } from './http2-client.ts';

const HOUR_MS = 3_600_000;
const UNTIMELY = /^Invalid JWT: Token must be a short-lived token/;
const nowSeconds = Math.floor(Date.now() / 1000);
const otherAccount = await createServiceAccount('other-project', 'https://127.0.0.1/token');

const BAD_ASSERTIONS: readonly (readonly [string, AssertionDraft, string, RegExp])[] = [
  [
    'of an unknown account',
    { claims: { iss: otherAccount.clientEmail } },
    'invalid_grant',
    /^Invalid grant: account not found$/,
  ],
  [
    "with another key's signature",
    { privateKeyPem: otherAccount.json.private_key },
    'invalid_grant',
    /^Invalid JWT Signature\.$/,
  ],
  [
    'that names another key',
    { header: { kid: 'another' } },
    'invalid_grant',
    /^Invalid JWT Signature\.$/,
  ],
  [
    'that claims another algorithm',
    { header: { alg: 'none' } },
    'invalid_grant',
    /^Invalid JWT Signature\.$/,
  ],
  [
    'for another audience',
    { claims: { aud: 'https://example.com/token' } },
    'invalid_grant',
    /audience/,
  ],
  [
    'that lives longer than an hour',
    { claims: { exp: nowSeconds + 7300 } },
    'invalid_grant',
    UNTIMELY,
  ],
  [
    'that has expired',
    { claims: { iat: nowSeconds - 7200, exp: nowSeconds - 3600 } },
    'invalid_grant',
    UNTIMELY,
  ],
  [
    'from the future',
    { claims: { iat: nowSeconds + 3600, exp: nowSeconds + 7200 } },
    'invalid_grant',
    UNTIMELY,
  ],
  ['without an expiry', { claims: { exp: undefined } }, 'invalid_grant', UNTIMELY],
  [
    'for another scope',
    { claims: { scope: 'https://www.googleapis.com/auth/drive' } },
    'invalid_scope',
    /scope/,
  ],
];

describe("Google's token endpoint", () => {
  it('gives a bearer token for just under an hour', async () => {
    await using simulator = await startFcm();
    await using client = await connectTo(simulator);
    const reply = await requestToken(client, grantForm(assertion(simulator)));
    const { access_token: token, ...rest } = jsonOf(reply);
    assert.equal(reply.status, 200);
    assert.match(String(token), /^ya29\./);
    assert.deepEqual(rest, { expires_in: 3599, token_type: 'Bearer' });
  });

  it('takes the cloud-platform scope and its own public address as well', async () => {
    await using simulator = await startFcm();
    await using client = await connectTo(simulator);
    const claims = {
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      aud: 'https://oauth2.googleapis.com/token',
    };
    const reply = await requestToken(client, grantForm(assertion(simulator, { claims })));
    assert.equal(reply.status, 200);
  });

  for (const [what, draft, code, description] of BAD_ASSERTIONS) {
    it(`refuses an assertion ${what}`, async () => {
      await using simulator = await startFcm();
      await using client = await connectTo(simulator);
      const reply = await requestToken(client, grantForm(assertion(simulator, draft)));
      const { error, error_description: text } = jsonOf(reply);
      assert.deepEqual([reply.status, error], [400, code]);
      assert.match(String(text), description);
    });
  }

  it('refuses other grants and what is no JWT', async () => {
    await using simulator = await startFcm();
    await using client = await connectTo(simulator);
    const otherGrant = { ...grantForm(assertion(simulator)), grant_type: 'password' };
    assert.equal(jsonOf(await requestToken(client, otherGrant)).error, 'unsupported_grant_type');
    assert.equal(jsonOf(await requestToken(client, grantForm('x'))).error, 'invalid_grant');
  });

  it('fails as scheduled for its path, which faults for pushes leave alone', async () => {
    await using simulator = await startFcm();
    await using client = await connectTo(simulator);
    const fault = { kind: 'answer', status: 503, reason: 'backend_error' } as const;
    simulator.faults.schedule({ times: 1, fault });
    assert.match(await accessToken(simulator, client), /^ya29\./);
    simulator.faults.schedule({ times: 1, match: { path: '/token' }, fault });
    const reply = await requestToken(client, grantForm(assertion(simulator)));
    assert.deepEqual([reply.status, jsonOf(reply).error], [503, 'backend_error']);
  });

  it('leaves neither assertions nor access tokens in the journal', async () => {
    await using sender = await startSender();
    await sender.sendTo(registrationToken());
    const text = JSON.stringify(sender.simulator.journal.entries());
    assert.ok(!text.includes('assertion') && !text.includes(sender.bearer));
  });
});

describe('an access token', () => {
  it('is required, in the words that Google uses', async () => {
    await using simulator = await startFcm();
    await using client = await connectTo(simulator);
    const reply = await send(client, null, {});
    assert.equal(reply.status, 401);
    assert.match(reply.text, /Request is missing required authentication credential/);
  });

  it('stops working when it is revoked, and another one works', async () => {
    await using sender = await startSender();
    const token = registrationToken();
    assert.equal((await sender.sendTo(token)).status, 200);
    sender.simulator.revokeTokens();
    const refused = await sender.sendTo(token);
    assert.equal(refused.status, 401);
    assert.match(refused.text, /Request had invalid authentication credentials/);
    assert.match(refused.text, /ACCESS_TOKEN_TYPE_UNSUPPORTED/);
    const renewed = await accessToken(sender.simulator, sender.client);
    assert.equal((await send(sender.client, renewed, { message: { token } })).status, 200);
  });

  it('stops working when it has expired', async () => {
    const clock = manualClock();
    await using sender = await startSender({ clock: clock.read });
    clock.advance(HOUR_MS);
    assert.equal((await sender.sendTo(registrationToken())).status, 401);
  });

  it("of another project's account gets 403 without an FcmError", async () => {
    await using sender = await startSender();
    sender.simulator.addProject({ projectId: 'other-project', serviceAccounts: [otherAccount] });
    const path = '/v1/projects/other-project/messages:send';
    const reply = await sender.send({ message: { token: registrationToken() } }, path);
    assert.equal(reply.status, 403);
    assert.match(reply.text, /PERMISSION_DENIED/);
    assert.doesNotMatch(reply.text, /FcmError/);
  });

  it('is had and used over HTTP/1.1 too', async () => {
    await using simulator = await startFcm();
    const form = new URLSearchParams(grantForm(assertion(simulator))).toString();
    const contentType = { 'content-type': 'application/x-www-form-urlencoded' };
    const granted = await sendOverHttp1(simulator.tokenUrl, contentType, form);
    const headers = {
      authorization: `Bearer ${String(jsonOf(granted).access_token)}`,
      'content-type': 'application/json',
    };
    const url = `${simulator.url}/v1/projects/${PROJECT}/messages:send`;
    const body = JSON.stringify({ message: { token: registrationToken() } });
    assert.equal((await sendOverHttp1(url, headers, body)).status, 200);
    assert.deepEqual(
      simulator.journal.entries().map(({ streamId, path }) => [streamId, path]),
      [
        [null, '/token'],
        [null, `/v1/projects/${PROJECT}/messages:send`],
      ],
    );
  });
});

describe('a fault over HTTP/1.1', () => {
  const kinds = ['reset', 'refused_stream', 'accept_then_reset'] as const;
  for (const kind of kinds) {
    it(`${kind} ends the connection without an answer`, async () => {
      await using sender = await startSender();
      sender.simulator.faults.schedule({ times: 1, fault: { kind } });
      const url = `${sender.simulator.url}/v1/projects/${PROJECT}/messages:send`;
      const headers = { authorization: `Bearer ${sender.bearer}` };
      const body = JSON.stringify({ message: { token: registrationToken() } });
      await assert.rejects(sendOverHttp1(url, headers, body), { code: 'ECONNRESET' });
      const entry = sender.simulator.journal.entries().at(-1);
      assert.equal(entry?.accepted, kind === 'accept_then_reset');
    });
  }
});
