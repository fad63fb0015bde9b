import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_OVERRIDES, type Message } from '../../src/domain/message.ts';
import type { Push } from '../../src/domain/push.ts';
import {
  buildHmsContent,
  HMS_PAYLOAD_BYTES,
  measureHmsPayload,
  requestText,
} from '../../src/providers/hms/payload.ts';
import { hmsPushTo, makeMessage } from './pushes.ts';

const NOW = new Date('2026-05-05T10:00:00Z');
const TOKEN = `IQAAAACy${'x'.repeat(100)}`;

interface AndroidBody {
  readonly message: {
    readonly token: readonly string[];
    readonly data: string;
    readonly notification?: unknown;
    readonly android: {
      readonly collapse_key: number;
      readonly urgency: string;
      readonly ttl: string;
      readonly notification?: Readonly<Record<string, unknown>>;
    };
  };
}

interface HarmonyBody {
  readonly target: { readonly token: readonly string[] };
  readonly payload: {
    readonly extraData?: string;
    readonly notification?: Readonly<Record<string, unknown>>;
  };
  readonly pushOptions: { readonly ttl: number };
}

type Fields = Parameters<typeof hmsPushTo>[1];

function push(fields: Fields = {}): Push {
  return hmsPushTo(TOKEN, { expiresAt: new Date(NOW.getTime() + 3_600_000), ...fields });
}

function bodyOf(fields: Fields, highPriority = false): unknown {
  const content = buildHmsContent(push(fields), NOW, { highPriority });
  assert(content.kind === 'content', JSON.stringify(content));
  return JSON.parse(requestText(content, [TOKEN]));
}

function android(fields: Fields = {}, highPriority = false): AndroidBody['message'] {
  return (bodyOf(fields, highPriority) as AndroidBody).message;
}

function harmony(fields: Fields = {}): HarmonyBody {
  return bodyOf({ ...fields, kind: 'harmony' }) as HarmonyBody;
}

function withOverride(hms: Message['overrides']['hms']): Message {
  return makeMessage({ overrides: { ...NO_OVERRIDES, hms } });
}

function days(count: number): Date {
  return new Date(NOW.getTime() + count * 86_400_000);
}

function sized(length: number): Message {
  return makeMessage({ body: 'é'.repeat(length) });
}

function problemOf(message: Message): string {
  const built = buildHmsContent(push({ message }), NOW, { highPriority: false });
  assert(built.kind === 'problem');
  return `${built.code}: ${built.detail}`;
}

describe('an HMS message', () => {
  it('is a notification that opens the app, with the data for it in a string', () => {
    const message = makeMessage({ url: 'https://example.com/1', data: { parcel: '1' } });
    assert.deepEqual(bodyOf({ id: 'id-1', rcpt: 'tag-1', message }), {
      validate_only: false,
      message: {
        token: [TOKEN],
        data: JSON.stringify({
          parcel: '1',
          homing_notification: 'ntf_1',
          homing_id: 'id-1',
          homing_rcpt: 'tag-1',
          homing_url: 'https://example.com/1',
        }),
        android: {
          collapse_key: -1,
          urgency: 'NORMAL',
          ttl: '3600s',
          notification: {
            title: 'Your parcel',
            body: 'It has shipped.',
            click_action: { type: 3 },
            tag: 'id-1',
          },
        },
      },
    });
  });

  it('says the same to everybody when it is bound to nobody', () => {
    const message = makeMessage();
    assert.deepEqual(android({ id: 'id-1', message }), android({ id: 'id-2', message }));
    assert.equal(android({ message }).android.notification?.['tag'], 'ntf_1');
  });

  it('is data alone for an SDK that draws, and when it is silent, whatever is overridden', () => {
    const overrides = withOverride({
      notification: { image: 'https://example.com/1.png' },
      android: { notification: { title: 'Other' }, category: 'IM' },
      payload: { notification: { title: 'Other' } },
    }).overrides;
    const drawn = android({ message: makeMessage({ overrides }), drawnBySdk: true, rcpt: 't' });
    assert.deepEqual([drawn.notification, drawn.android.notification], [undefined, undefined]);
    assert.equal((JSON.parse(drawn.data) as { homing_title: string }).homing_title, 'Your parcel');
    const silent = makeMessage({ overrides, silent: true });
    const { notification, android: options, data } = android({ message: silent });
    assert.deepEqual([notification, options.notification], [undefined, undefined]);
    assert.equal(data.includes('homing_title'), false);
    const background = harmony({ message: silent }).payload;
    assert.deepEqual(Object.keys(background), ['extraData']);
  });

  it('asks for a high priority only where Huawei has granted it', () => {
    assert.equal(android({}, false).android.urgency, 'NORMAL');
    assert.equal(android({}, true).android.urgency, 'HIGH');
    const message = makeMessage({ priority: 'normal' });
    assert.equal(android({ message }, true).android.urgency, 'NORMAL');
  });

  it('keeps its time to live between a second and fifteen days', () => {
    assert.equal(android({ expiresAt: days(-1) }).android.ttl, '1s');
    assert.equal(android({ expiresAt: days(28) }).android.ttl, '1296000s');
    assert.equal(harmony({ expiresAt: days(28) }).pushOptions.ttl, 1_296_000);
  });

  it('makes a number from 1 to 100 of a collapse key, always the same one', () => {
    const keys = Array.from({ length: 1_000 }, (_, index) =>
      makeMessage({ collapseKey: `${index}` }),
    );
    const numbers = keys.map((message) => android({ message }).android.collapse_key);
    assert.equal(Math.min(...numbers), 1);
    assert.equal(Math.max(...numbers), 100);
    const message = makeMessage({ collapseKey: 'parcel' });
    const fields = { message, collapseScope: 'u1' };
    assert.equal(android({ message }).android.collapse_key, 43);
    assert.equal(android(fields).android.notification?.['tag'], 'u1.parcel');
  });

  it('for HarmonyOS NEXT has a format of its own', () => {
    const message = makeMessage({ badge: 3, data: { parcel: '1' } });
    const { target, payload, pushOptions } = harmony({ message, drawnBySdk: true });
    assert.deepEqual(target, { token: [TOKEN] });
    const { notifyId, ...notification } = payload.notification ?? {};
    assert(Number.isInteger(notifyId) && Number(notifyId) >= 0 && Number(notifyId) < 2 ** 31);
    assert.deepEqual(notification, {
      category: 'MARKETING',
      title: 'Your parcel',
      body: 'It has shipped.',
      badge: { setNum: 3 },
      clickAction: { actionType: 0, data: { parcel: '1', homing_notification: 'ntf_1' } },
    });
    assert.deepEqual(pushOptions, { ttl: 3_600 });
  });

  it('takes overrides of the format that is sent', () => {
    const message = withOverride({
      android: {
        category: 'IM',
        notification: { click_action: { type: 2, url: 'https://x.test' } },
      },
      payload: { notification: { category: 'IM' } },
      pushOptions: { testMessage: true },
    });
    const sent = android({ message }).android as Readonly<Record<string, unknown>>;
    assert.equal(sent['category'], 'IM');
    assert.equal(JSON.stringify(sent).includes('testMessage'), false);
    const { payload, pushOptions } = harmony({ message });
    assert.equal(payload.notification?.['category'], 'IM');
    assert.deepEqual(pushOptions, { ttl: 3_600, testMessage: true });
  });

  it('refuses overrides that break a promise, and data that is ours', () => {
    const refused = [
      [{ topic: 'x' }, 'topic'],
      [{ android: 'x' }, 'android'],
      [{ android: { ttl: '1s' } }, 'android.ttl'],
      [{ android: { notification: { tag: 'x' } } }, 'android.notification.tag'],
      [{ android: { data: '{}' } }, 'android.data'],
      [{ payload: { notification: { notifyId: 1 } } }, 'payload.notification.notifyId'],
      [{ pushOptions: { ttl: 1 } }, 'pushOptions.ttl'],
    ] as const;
    for (const [override, field] of refused) {
      const problem = problemOf(withOverride(override));
      assert(problem.startsWith(`invalid_override: overrides.hms.${field} `), problem);
    }
    const data = { homing_id: 'x' };
    assert.match(problemOf(makeMessage({ data })), /^reserved_data_key: .*"homing_id"/);
  });

  it('is measured without its tokens, and refused beyond 4096 bytes', () => {
    const long = measureHmsPayload(push({ message: sized(1_000) }));
    // A ttl of a few digits is a few bytes shorter than the longest.
    const fits = Math.floor((HMS_PAYLOAD_BYTES - long) / 2) + 1_000;
    android({ message: sized(fits) });
    const problem = problemOf(sized(fits + 4));
    assert.match(problem, /^payload_too_large: The payload has \d+ bytes; HMS takes 4096\.$/);
  });
});
