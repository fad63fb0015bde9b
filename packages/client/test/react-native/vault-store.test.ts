import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Store } from '../../src/core/ports.ts';
import { createSettingsMark } from '../../src/react-native/install-mark.ts';
import { createKeychainVault } from '../../src/react-native/keychain-vault.ts';
import { createSecureStoreVault } from '../../src/react-native/secure-store-vault.ts';
import { createVaultStore } from '../../src/react-native/vault-store.ts';
import type { Vault } from '../../src/react-native/vault.ts';
import { Handset } from './handset.ts';
import { createKeychain, createSecureStore, createSettings } from './native-modules.ts';

const cryptography = { randomBytes: (count: number) => new Uint8Array(randomBytes(count)) };

function storeOf(handset: Handset, vault = createSecureStoreVault(createSecureStore(handset))) {
  const mark = handset.os === 'ios' ? createSettingsMark(createSettings(handset)) : null;
  return createVaultStore({ vault, mark, cryptography });
}

function write(store: Store, text: string): Promise<void> {
  return store.update(() => ({ text, result: undefined }));
}

function read(store: Store): Promise<string | null> {
  return store.update((text) => ({ text: text ?? '', result: text }));
}

/** Takes so many values and fails from then on, as in a process that was killed. */
function dyingVault(vault: Vault, writes: number): Vault {
  let left = writes;
  return {
    ...vault,
    write: async (name, value) => {
      left -= 1;
      if (left < 0) throw new Error('the process was killed');
      await vault.write(name, value);
    },
    remove: async (name) => {
      if (left < 0) throw new Error('the process was killed');
      await vault.remove(name);
    },
  };
}

describe('the memory of a phone', () => {
  test('is what was written last, whatever its length and its characters', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 6000 });
    const runs = fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 5 }), async (texts) => {
      const handset = new Handset('ios');
      const store = storeOf(handset);
      for (const one of texts) {
        await write(store, one);
        assert.equal(await read(store), one);
        assert.equal(await read(storeOf(handset)), one);
      }
      const [head = ''] = [handset.vault.get('homing.memory')];
      const parts = /^[ab](\d+)$/.exec(head)?.[1] ?? '0';
      assert.equal(handset.vault.size, 1 + Number(parts), 'nothing older is left');
    });
    await fc.assert(runs, { numRuns: 50 });
  });

  test('is the old or the new one after a crash at any write', async () => {
    const [before, after] = ['a'.repeat(5000), 'b'.repeat(9000)];
    for (let writes = 0; writes < 8; writes += 1) {
      const handset = new Handset('android');
      await write(storeOf(handset), before);
      const whole = createSecureStoreVault(createSecureStore(handset));
      const dying = storeOf(handset, dyingVault(whole, writes));
      const outcome = await write(dying, after).then(
        () => after,
        () => before,
      );
      assert.equal(await read(storeOf(handset)), outcome, `after ${writes} writes`);
    }
  });

  test('is nobody else’s after an uninstall that the keychain outlived', async () => {
    const handset = new Handset('ios');
    await write(storeOf(handset), 'of the first install');
    handset.uninstall();
    assert.equal(handset.vault.size, 1, 'the keychain of iOS outlives the app');
    assert.equal(await read(storeOf(handset)), null);
    await write(storeOf(handset), 'of the second');
    assert.equal(await read(storeOf(handset)), 'of the second');
  });

  test('does not go into a backup, nor does a mark in one revive what was left behind', async () => {
    const [mine, other] = [new Handset('ios'), new Handset('ios')];
    await write(storeOf(mine), 'mine');
    await write(storeOf(other), 'of an earlier install');
    other.uninstall();
    mine.restoreOnto(other);
    assert.equal(await read(storeOf(other)), null);
    assert.equal(await read(storeOf(mine)), 'mine');
  });

  test('cannot be told before the first unlock, and is not begun anew then', async () => {
    for (const vaultOf of [
      (handset: Handset) => createSecureStoreVault(createSecureStore(handset)),
      (handset: Handset) => createKeychainVault(createKeychain(handset)),
    ]) {
      const handset = new Handset('ios');
      await write(storeOf(handset, vaultOf(handset)), 'mine');
      const store = storeOf(handset, vaultOf(handset));
      handset.isLocked = true;
      await assert.rejects(read(store));
      await assert.rejects(write(store, 'another'));
      handset.isLocked = false;
      assert.equal(await read(store), 'mine');
    }
  });

  test('is read again after a write that failed', async () => {
    const handset = new Handset('android');
    const whole = createSecureStoreVault(createSecureStore(handset));
    const store = storeOf(handset, dyingVault(whole, 1));
    await write(store, 'before');
    await assert.rejects(write(store, 'after'));
    assert.equal(await read(store), 'before');
  });

  test('is changed by one at a time', async () => {
    const store = storeOf(new Handset('android'));
    await write(store, '0');
    const count = (): Promise<void> =>
      store.update((text) => ({ text: String(Number(text) + 1), result: undefined }));
    await Promise.all(Array.from({ length: 50 }, count));
    assert.equal(await read(store), '50');
  });
});
