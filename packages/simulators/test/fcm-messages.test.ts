import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  FCM_ERROR,
  INSTALLATION_ID,
  INVALID_ARGUMENT,
  PROJECT,
  errorOf,
  registrationToken,
  startSender,
  violation,
} from './fcm-client.ts';
import { jsonOf } from './http2-client.ts';

const token = registrationToken();

const MALFORMED: readonly (readonly [string, unknown, string, string])[] = [
  [
    'a number among the data',
    { message: { token, data: { amount: 12 } } },
    'message.data[0].value',
    "Invalid value at 'message.data[0].value' (TYPE_STRING), 12",
  ],
  [
    'a field that only the legacy API had',
    { message: { token, priority: 'high' } },
    'message',
    'Invalid JSON payload received. Unknown name "priority" at \'message\': Cannot find field.',
  ],
  [
    'an unknown field at the top',
    { message: { token }, to: token },
    '',
    'Invalid JSON payload received. Unknown name "to": Cannot find field.',
  ],
  [
    'an unknown field further down',
    { message: { token, android: { notification: { badge: 1 } } } },
    'message.android.notification',
    'Invalid JSON payload received. Unknown name "badge" at ' +
      "'message.android.notification': Cannot find field.",
  ],
  [
    'a ttl without its unit',
    { message: { token, android: { ttl: '3600' } } },
    'message.android.ttl',
    'Invalid value at \'message.android.ttl\' (type.googleapis.com/google.protobuf.Duration), "3600"',
  ],
  [
    'a priority that does not exist',
    { message: { token, android: { priority: 'URGENT' } } },
    'message.android.priority',
    "Invalid value at 'message.android.priority' " +
      '(type.googleapis.com/google.firebase.fcm.v1.AndroidMessagePriority), "URGENT"',
  ],
  [
    'two targets',
    { message: { token, topic: 'news' } },
    'message',
    "Invalid value at 'message' (oneof), oneof field 'target' is already set. Cannot set 'topic'",
  ],
];

const UNRULY: readonly (readonly [string, unknown, string])[] = [
  ['no target', { message: { data: { a: 'b' } } }, 'message'],
  ['no message', { validate_only: true }, 'message'],
  ['the data key "from"', { message: { token, data: { from: 'x' } } }, 'message.data'],
  [
    'the data key "message_type"',
    { message: { token, data: { message_type: 'x' } } },
    'message.data',
  ],
  ['a data key of Google', { message: { token, data: { 'google.x': 'x' } } }, 'message.data'],
  [
    'a reserved key among the Android data',
    { message: { token, android: { data: { 'gcm.notification.title': 'x' } } } },
    'message.android.data',
  ],
  [
    'a ttl of more than four weeks',
    { message: { token, android: { ttl: '2419201s' } } },
    'message.android.ttl',
  ],
  ['a negative ttl', { message: { token, android: { ttl: '-1s' } } }, 'message.android.ttl'],
  ['a topic with a space', { message: { topic: 'daily news' } }, 'message.topic'],
  ['a topic with its legacy prefix', { message: { topic: '/topics/news' } }, 'message.topic'],
  [
    'a condition of six topics',
    { message: { condition: Array.from('abcdef', (t) => `'${t}' in topics`).join(' || ') } },
    'message.condition',
  ],
  [
    'a color without its hash',
    { message: { token, android: { notification: { color: 'ff0000' } } } },
    'message.android.notification.color',
  ],
  [
    'a link without TLS',
    { message: { token, webpush: { fcmOptions: { link: 'http://example.com' } } } },
    'message.webpush.fcm_options.link',
  ],
  [
    'a label of 51 characters',
    { message: { token, fcm_options: { analytics_label: 'x'.repeat(51) } } },
    'message.fcm_options.analytics_label',
  ],
];

describe('a message to FCM', () => {
  it('is accepted under a name of the project', async () => {
    await using sender = await startSender();
    const reply = await sender.sendTo(token);
    assert.equal(reply.status, 200);
    const { name } = jsonOf(reply);
    assert.match(String(name), new RegExp(`^projects/${PROJECT}/messages/0:\\d+%[0-9a-f]+$`));
    assert.equal(sender.simulator.journal.entries().at(-1)?.providerId, name);
  });

  it('may address a token, an installation, a topic or a condition', async () => {
    await using sender = await startSender();
    const condition = "'news' in topics && ('de' in topics || 'fr' in topics)";
    for (const target of [{ token }, { fid: INSTALLATION_ID }, { topic: 'news' }, { condition }]) {
      const reply = await sender.send({ message: target });
      assert.equal(reply.status, 200, reply.text);
    }
  });

  it('may spell its fields in both ways, its names in lower case, and leave some null', async () => {
    await using sender = await startSender();
    const android = {
      collapseKey: 'parcel',
      ttl: '3.5s',
      priority: 'high',
      notification: {
        titleLocArgs: ['a'],
        notification_count: 3,
        vibrate_timings: ['0.5s'],
        eventTime: '2026-01-01T08:00:00Z',
        light_settings: { color: { red: 1 }, lightOnDuration: '1s', light_off_duration: '1s' },
      },
    };
    const message = {
      token,
      topic: null,
      android,
      apns: { headers: { 'apns-priority': '5' }, payload: { aps: { 'content-available': 1 } } },
      webpush: { headers: { TTL: '60' }, notification: { title: 'x', actions: [] } },
    };
    const reply = await sender.send({ message, validateOnly: false });
    assert.equal(reply.status, 200, reply.text);
  });

  it('is only checked, token included, when it says validate_only', async () => {
    await using sender = await startSender();
    const gone = registrationToken('sim-unregistered:');
    const good = await sender.send({ validate_only: true, message: { token } });
    assert.deepEqual(jsonOf(good), { name: `projects/${PROJECT}/messages/fake_message_id` });
    const bad = await sender.send({ validate_only: true, message: { token: gone } });
    assert.equal(bad.status, 404);
    assert.equal(sender.simulator.journal.counters.accepted, 0);
    assert.equal(sender.simulator.devices.view(token).shown.length, 0);
  });

  for (const [what, body, field, description] of MALFORMED) {
    it(`is malformed with ${what}`, async () => {
      await using sender = await startSender();
      const reply = await sender.send(body);
      assert.deepEqual(errorOf(reply), {
        code: 400,
        message: description,
        status: 'INVALID_ARGUMENT',
        details: [violation(field, description)],
      });
    });
  }

  for (const [what, body, field] of UNRULY) {
    it(`is an invalid argument with ${what}`, async () => {
      await using sender = await startSender();
      const reply = await sender.send(body);
      assert.equal(reply.status, 400);
      assert.ok(reply.text.includes(`"field":"${field}"`), reply.text);
      assert.ok(reply.text.includes(FCM_ERROR), reply.text);
    });
  }

  it('without a target is told so in the captured words', async () => {
    await using sender = await startSender();
    const description = 'Recipient of the message is not set.';
    assert.deepEqual(errorOf(await sender.send({ message: {} })), {
      code: 400,
      message: description,
      status: 'INVALID_ARGUMENT',
      details: [violation('message', description), INVALID_ARGUMENT],
    });
  });

  it('that is no JSON is malformed', async () => {
    await using sender = await startSender();
    assert.match((await sender.send('{"message":')).text, /Invalid JSON payload received/);
  });

  it('is refused without any details beyond 4096 bytes, and beyond 2048 for a topic', async () => {
    await using sender = await startSender();
    const expected = {
      code: 400,
      message: 'Request contains an invalid argument.',
      status: 'INVALID_ARGUMENT',
    };
    const frame = JSON.stringify({ data: { a: '' } }).length;
    const cases = [
      [{ token }, 4096],
      [{ topic: 'news' }, 2048],
    ] as const;
    for (const [target, limit] of cases) {
      const fits = await sender.send({
        message: { ...target, data: { a: 'x'.repeat(limit - frame) } },
      });
      assert.equal(fits.status, 200, fits.text);
      const large = { message: { ...target, data: { a: 'x'.repeat(limit - frame + 1) } } };
      assert.deepEqual(errorOf(await sender.send(large)), expected);
    }
    const huge = { message: { token, data: { a: 'x'.repeat(100_000) } } };
    assert.deepEqual(errorOf(await sender.send(huge)), expected);
  });

  it('for an unknown project gets 404 without an FcmError', async () => {
    await using sender = await startSender();
    const reply = await sender.send({ message: { token } }, '/v1/projects/x/messages:send');
    assert.deepEqual(errorOf(reply), {
      code: 404,
      message: 'Requested entity was not found.',
      status: 'NOT_FOUND',
    });
  });

  it('may name the project by its number', async () => {
    await using sender = await startSender();
    const path = '/v1/projects/123456789/messages:send';
    assert.equal((await sender.send({ message: { token } }, path)).status, 200);
  });

  it('to a path that does not exist gets an HTML page with 404', async () => {
    await using sender = await startSender();
    const reply = await sender.send({}, '/fcm/send<script>');
    assert.equal(reply.status, 404);
    assert.match(String(reply.headers['content-type']), /^text\/html/);
    assert.ok(!reply.text.includes('<script>'));
  });
});
