import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { apnsToken } from '../device.ts';
import { startNetwork } from '../network.ts';
import { ClientPhone } from './client-phone.ts';
import { PhoneSystem } from './phone-system.ts';

const network = await startNetwork();
after(() => network[Symbol.asyncDispose]());

const world = { route: network.url, app: network.app, issuer: network.issuer };

describe('a token that the system takes back', () => {
  test('is followed by the next one', async () => {
    const system = new PhoneSystem(apnsToken());
    await using phone = new ClientPhone(world, { system });
    await phone.open();
    const next = apnsToken();
    system.revoke(next);
    await phone.client.settled();
    assert.equal((await phone.client.status()).registered, true);
    const { token } = await network.backEnd.installation(phone.identity.id);
    assert.equal(token?.['masked'], hash('sha256', next.value, 'hex').slice(0, 8));
  });

  test('is asked for again where the system still owed an answer', async () => {
    const system = new PhoneSystem(null);
    await using phone = new ClientPhone(world, { system });
    const client = phone.launch();
    await client.start();
    system.revoke(apnsToken());
    await client.settled();
    const { token, registered } = await client.status();
    assert.deepEqual({ token, registered }, { token: 'present', registered: true });
  });

  test('is not asked for again when another tab gave it back for good', async () => {
    const system = new PhoneSystem(apnsToken());
    await using phone = new ClientPhone(world, { system });
    await using other = new ClientPhone(world, { system, disk: phone.disk, time: phone.time });
    await phone.open();
    await other.open();
    const asked = system.counts.tokens;
    await phone.client.unsubscribe();
    system.revoke(apnsToken());
    await Promise.all([phone.client.settled(), other.client.settled()]);
    assert.equal(system.counts.tokens, asked);
    for (const tab of [phone, other]) {
      const { token, registered } = await tab.client.status();
      assert.deepEqual({ token, registered }, { token: 'none', registered: true });
    }
    assert.equal((await network.backEnd.installation(phone.identity.id))['token'], null);
  });
});
