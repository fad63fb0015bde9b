import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReceivedPush } from '../../src/react-native/push-data.ts';
import { createPushReceiver } from '../../src/react-native/push-receiver.ts';
import { createScreen } from '../../src/react-native/screen.ts';

const PUSH: ReceivedPush = {
  envelope: { id: 'ntf_1' },
  url: null,
  actions: [],
  data: {},
  drawing: null,
};

test('what the system would draw is held back where somebody logs out after the verdict', async () => {
  const arrived: ReceivedPush[] = [];
  const users = new Set(['anna']);
  const receiver = createPushReceiver({
    client: {
      async received() {
        const verdict = users.has('anna') ? 'show' : 'withhold';
        users.clear();
        return verdict;
      },
      displayed: async () => users.has('anna'),
      opened: async () => false,
      dismissed: async () => undefined,
      settled: async () => undefined,
    },
    screen: createScreen({ draw: async () => undefined, clear: async () => undefined }),
    open: () => assert.fail('nobody tapped'),
    arrived: (push) => arrived.push(push),
  });
  assert.equal(await receiver.receive(PUSH, 'system'), false);
  assert.deepEqual(arrived, []);
});
