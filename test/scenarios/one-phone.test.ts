import assert from 'node:assert/strict';
import { apnsToken, fcmToken } from '../device.ts';
import { CROSSINGS, cross } from './crossing.ts';
import { loseAnswer } from './lost-answer.ts';
import { openScenarios } from './scenario.ts';
import { addressee, answered, superseded } from './scene.ts';

/** Group A: one phone, and what order, loss and repetition do to its packets. */
const scenario = await openScenarios();

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

scenario('S01 a direct switch: from the answer on the phone is Ben’s alone', async (scene) => {
  const { phone, token } = await scene.signedIn('anna');
  const switched = await answered(phone.signIn('ben', 3)(), 200);
  assert.deepEqual(switched.body['applied'], { user: true });
  await scene.assertAtRest({ own: [[token, 'ben']], recv: { anna: [], ben: [token] } });
});

scenario('S02 late registration: Anna’s login arrives after Ben’s', async (scene) => {
  const { phone, token } = await scene.enrolled();
  const late = phone.signIn('anna', 2);
  await answered(phone.signOut(3)(), 204);
  await answered(phone.signIn('ben', 4)(), 200);
  const answer = await answered(late(), 200);
  assert.deepEqual(answer.body['applied'], { user: false });
  assert.deepEqual(answer.body['reason'], { user: 'superseded' });
  assert.equal(answer.body['seq']?.['user'], 4);
  await scene.assertAtRest({ own: [[token, 'ben']], recv: { anna: [], ben: [token] } });
});

scenario(
  'S04 the logout is lost, the next login heals it, and its retry is late',
  async (scene) => {
    const { phone, token } = await scene.signedIn('anna');
    const logout = phone.signOut(3);
    await answered(phone.signIn('ben', 4)(), 200);
    const late = await answered(logout(), 204);
    assert.equal(late.headers.get('homing-seq'), '4');
    await scene.assertAtRest({ own: [[token, 'ben']], recv: { anna: [], ben: [token] } });
  },
);

scenario('S04 a late logout ends nothing, whichever way it is said', async (scene) => {
  const { phone, token } = await scene.signedIn('anna');
  await answered(phone.signIn('ben', 4)(), 200);
  await superseded(phone.packet({ seq: 3, user: null })(), 'user');
  await scene.assertAtRest({ own: [[token, 'ben']], recv: { anna: [], ben: [token] } });
});

for (const [title, offlineMs] of [
  ['S05 a logout that waited two hours for a network', 2 * HOUR_MS],
  ['S06 a logout that outlived a killed app and a reboot', DAY_MS],
] as const) {
  scenario(`${title} ends the link when it comes`, async (scene) => {
    const { phone, token } = await scene.signedIn('anna');
    const waiting = phone.signOut(3);
    // Nothing told the server. What it sends names Anna, so that the phone can refuse to show it.
    const pushes = await scene.pushesBy(async () => {
      for (let count = 0; count < 3; count += 1) await scene.backEnd.sendToUsers(['anna']);
    });
    assert.equal(pushes.length, 3);
    assert.ok(pushes.every((push) => addressee(push) === phone.tagOf('anna')));
    await scene.later(offlineMs);
    await answered(waiting(), 204);
    await answered(phone.token(token, 4)(), 200);
    await scene.assertAtRest({ own: [[token, null]], recv: { anna: [] } });
  });
}

for (const crossing of CROSSINGS) {
  scenario(`S08 a slow login crosses the logout: ${crossing}`, async (scene) => {
    const { phone, token } = await scene.enrolled();
    const [login, logout] = await cross(
      scene,
      crossing,
      phone,
      phone.signIn('anna', 2),
      phone.signOut(3),
    );
    assert.deepEqual([login.status, logout.status], [200, 204]);
    await scene.assertAtRest({ own: [[token, null]], recv: { anna: [] } });
  });

  scenario(`S09 a fresh token crosses Ben’s login: ${crossing}`, async (scene) => {
    const { phone, token: stale } = await scene.signedIn('anna');
    const fresh = apnsToken();
    const answers = await cross(
      scene,
      crossing,
      phone,
      phone.token(fresh, 3),
      phone.signIn('ben', 4),
    );
    for (const answer of answers) {
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body['reason'], {});
    }
    const holder = await scene.hold(fresh);
    assert.equal(holder?.['id'], phone.id);
    assert.equal(await scene.hold(stale), null);
    await scene.assertAtRest({
      own: [
        [fresh, 'ben'],
        [stale, null],
      ],
      recv: { anna: [], ben: [fresh] },
    });
  });
}

scenario('S12 a hundred switches, a fifth of them twice and a fifth late', async (scene) => {
  const { phone, token } = await scene.enrolled(fcmToken());
  const users = ['anna', 'ben'] as const;
  const packets = Array.from({ length: 100 }, (_, index) => {
    const [seq, user] = [index + 2, users[index % 2] ?? 'anna'];
    const packet = phone.signIn(user, seq);
    // Every fifth is overtaken by its three successors; every fifth comes again eight later.
    const arrivals = [
      index % 5 === 2 ? index + 3.5 : index,
      ...(index % 5 === 4 ? [index + 8] : []),
    ];
    return arrivals.map((at) => ({ at, seq, user, packet }));
  }).flat();
  let owner = { seq: 1, user: 'nobody' };
  for (const [index, { seq, user, packet }] of packets.toSorted((a, b) => a.at - b.at).entries()) {
    const answer = await answered(packet(), 200);
    assert.deepEqual(answer.body['applied'], { user: seq >= owner.seq });
    if (seq > owner.seq) owner = { seq, user };
    if (index % 6 !== 0) continue;
    const other = users.find((one) => one !== owner.user) ?? 'anna';
    await scene.assertAtRest({ recv: { [owner.user]: [token], [other]: [] } });
  }
  assert.deepEqual(owner, { seq: 101, user: 'ben' });
  await scene.assertAtRest({ own: [[token, 'ben']], recv: { anna: [], ben: [token] } });
});

scenario('S15 a switch whose answer was lost is answered again, and done once', async (scene) => {
  const { phone, token } = await scene.signedIn('anna');
  const login = phone.signIn('ben', 3);
  await loseAnswer(login, scene.nextServer());
  await scene.assertAtRest({ own: [[token, 'ben']] });
  const [second, third] = [await answered(login(), 200), await answered(login(), 200)];
  assert.deepEqual(second.body['applied'], { user: true });
  assert.deepEqual(third.body, second.body);
  const lines = await scene.backEnd.timeline(phone.id);
  assert.equal(lines.filter((line) => line === 'User ben signed in.').length, 1);
  await scene.assertAtRest({ own: [[token, 'ben']], recv: { anna: [], ben: [token] } });
});

scenario('S17 a logout with a session that ended months ago', async (scene) => {
  const { phone, token } = await scene.signedIn('anna');
  await scene.later(200 * DAY_MS);
  const logout = phone.signOut(3);
  for (let repetition = 0; repetition < 3; repetition += 1) await answered(logout(), 204);
  await scene.assertAtRest({ own: [[token, null]], recv: { anna: [] } });
});

scenario('S18 a logout in the middle of a flood that is slowed down', async (scene) => {
  const { phone, token } = await scene.signedIn('anna');
  // Each server counts for itself, so that each has to get more than it lets an installation write.
  const packets = 400 * (1 + scene.network.servers.length);
  const flood = Array.from({ length: packets }, (_, index) => phone.token(token, index + 4)());
  const logout = phone.signOut(3)();
  const answers = await Promise.all(flood);
  await answered(logout, 204);
  assert.ok(answers.some(({ status }) => status === 429));
  assert.ok(answers.every(({ status }) => status === 200 || status === 429));
  await answered(phone.signOut(packets + 10)(), 204);
  await scene.assertAtRest({ own: [[token, null]], recv: { anna: [] } });
});

scenario('S21 a logout on one of Anna’s phones leaves the other', async (scene) => {
  const { phone } = await scene.signedIn('anna');
  const { phone: other, token: kept } = await scene.signedIn('anna', fcmToken());
  const before = await scene.backEnd.installation(other.id);
  await answered(phone.signOut(3)(), 204);
  await scene.assertAtRest({ own: [[kept, 'anna']], recv: { anna: [kept] } });
  // All but the day of the last acceptance, which the send of this test moved.
  const later = await scene.backEnd.installation(other.id);
  for (const member of ['user', 'token', 'seq', 'device', 'status']) {
    assert.deepEqual(later[member], before[member], member);
  }
});
