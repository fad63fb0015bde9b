import assert from 'node:assert/strict';
import { createECDH, randomUUID } from 'node:crypto';
import { assertProblem } from '../../packages/server/test/http/assert-problem.ts';
import type { Token } from './phone.ts';
import { openScenarios } from './scenario.ts';
import { answered, superseded, type Scene } from './scene.ts';

/**
 * Group E, as far as the registry carries it: the app has no credential for Web Push, so who would
 * get a push is read from the ledger, which skips the owner's browser for want of one.
 */
const scenario = await openScenarios();

scenario('S77 a shared browser profile: Anna logs out, Ben logs in', async (scene) => {
  const { phone: browser, token: endpoint } = await scene.signedIn('anna', subscription());
  await assertAddressed(scene, { anna: 1, ben: 0 });
  await answered(browser.signOut(3)(), 204);
  await answered(browser.signIn('ben', 4, { token: endpoint })(), 200);
  await scene.assertAtRest({ own: [[endpoint, 'ben']] });
  await assertAddressed(scene, { anna: 0, ben: 1 });
});

scenario('S78 a subscription changes while nobody is logged in', async (scene) => {
  const { phone: browser, token: former } = await scene.signedIn('anna', subscription());
  await answered(browser.signOut(3)(), 204);
  const fresh = subscription();
  await answered(browser.token(fresh, 4)(), 200);
  assert.equal((await scene.hold(fresh))?.['id'], browser.id);
  assert.equal(await scene.hold(former), null);
  await scene.assertAtRest({ own: [[fresh, null]] });
  await assertAddressed(scene, { anna: 0 });
});

for (const [title, benIsIn] of [
  ['S79 two tabs: what Anna’s tab remembers neither moves Ben out nor Anna in', true],
  ['S79 two tabs: it does not bring her back either when nobody is logged in', false],
] as const) {
  scenario(title, async (scene) => {
    const { phone: browser, token: endpoint } = await scene.enrolled(subscription());
    const cached = await browser.assertion('anna');
    await answered(browser.signIn('anna', 2, { assertion: cached })(), 200);
    await answered(browser.signOut(3)(), 204);
    if (benIsIn) await answered(browser.signIn('ben', 4)(), 200);
    const again = browser.signIn('anna', 5, { assertion: cached, token: endpoint });
    for (let timer = 0; timer < 3; timer += 1) assertProblem(await again(), 'assertion_invalid');
    // The tab was left open for so long that what it remembers has expired as well.
    await scene.later(11 * 60_000);
    const later = browser.signIn('anna', 6, { assertion: cached, token: endpoint });
    assertProblem(await later(), 'assertion_invalid');
    await scene.assertAtRest({ own: [[endpoint, benIsIn ? 'ben' : null]] });
    await assertAddressed(scene, { anna: 0, ben: benIsIn ? 1 : 0 });
    // The refused packet used its sequence up: what was sent before it comes too late.
    await superseded(browser.packet({ seq: 4, user: null })(), 'user');
  });
}

for (const way of ['the installation', 'the user there', 'the user everywhere'] as const) {
  scenario(`S80 the session ends at the back end, which names ${way}`, async (scene) => {
    const { phone: browser, token: endpoint } = await scene.signedIn('anna', subscription());
    const { backEnd } = scene;
    if (way === 'the installation') {
      const path = `/v1/installations/${browser.id}/user`;
      await answered(backEnd.request('DELETE', path), 204);
    } else {
      const body = way === 'the user there' ? { installations: [browser.id] } : {};
      await answered(backEnd.request('POST', '/v1/users/anna/revoke', body), 200);
    }
    assert.equal((await scene.hold(endpoint))?.['id'], browser.id);
    await scene.assertAtRest({ own: [[endpoint, null]] });
    await assertAddressed(scene, { anna: 0 });
  });
}

scenario('S81 a new VAPID key: the browser subscribes anew and has one endpoint', async (scene) => {
  const { phone: browser, token: former } = await scene.signedIn('anna', subscription());
  const fresh = subscription();
  await answered(browser.token(fresh, 3)(), 200);
  assert.equal(await scene.hold(former), null);
  await scene.assertAtRest({ own: [[fresh, 'anna']] });
  await assertAddressed(scene, { anna: 1 });
});

scenario('S82 a runaway page subscribes hundreds of times and has one endpoint', async (scene) => {
  const { phone: browser } = await scene.signedIn('anna', subscription());
  const servers = 1 + scene.network.servers.length;
  const attempts = Array.from({ length: 400 * servers }, (_, index) => {
    const endpoint = subscription();
    return { endpoint, packet: browser.token(endpoint, index + 3) };
  });
  const answers = await Promise.all(attempts.map(({ packet }) => packet()));
  const limited = answers.filter(({ status }) => status === 429);
  assert.ok(limited.length > 0);
  for (const answer of limited) assertProblem(answer, 'rate_limited');
  const others = answers.filter(({ status }) => status !== 200 && status !== 429);
  assert.deepEqual(others.slice(0, 3), []);
  // Arrival does not order them; the highest sequence that was let in does.
  const last = attempts.findLast((_, index) => answers[index]?.status === 200);
  assert.ok(last !== undefined);
  assert.equal((await scene.hold(last.endpoint))?.['id'], browser.id);
  await assertAddressed(scene, { anna: 1 });
});

/** A subscription as browsers make them, with an endpoint of its own. */
function subscription(): Extract<Token, { readonly provider: 'webpush' }> {
  return {
    provider: 'webpush',
    endpoint: `https://updates.push.services.mozilla.com/wpush/v2/${randomUUID()}`,
    keys: {
      p256dh: createECDH('prime256v1').generateKeys('base64url'),
      auth: Buffer.alloc(16, 7).toString('base64url'),
    },
  };
}

/** How many browsers a message for each user is meant for at the gate. */
async function assertAddressed(
  scene: Scene,
  expected: Readonly<Record<string, number>>,
): Promise<void> {
  for (const [user, count] of Object.entries(expected)) {
    const id = await scene.backEnd.sendToUsers([user]);
    await scene.network.drain();
    const report = await scene.backEnd.report(id);
    const reasons = count === 0 ? {} : { skipped: { no_credential: count } };
    assert.deepEqual([report['status'], report['reasons']], ['finished', reasons], user);
  }
}
