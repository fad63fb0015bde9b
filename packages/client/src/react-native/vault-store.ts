import type { Cryptography, Store } from '../core/ports.ts';
import type { InstallMark } from './install-mark.ts';
import { createSerial } from './serial.ts';
import type { ShareTags } from './shared-tags.ts';
import { VAULT_VALUE_LENGTH, type Vault } from './vault.ts';

export interface VaultStoreOptions {
  readonly vault: Vault;
  /** Null where the vault goes with the app, as on Android. */
  readonly mark: InstallMark | null;
  readonly cryptography: Pick<Cryptography, 'randomBytes'>;
  /** For an iPhone with a notification service extension. */
  readonly shareTags?: ShareTags;
}

/** Where the client's memory begins: the whole of it, or where its parts are. */
const HEAD = 'homing.memory';
/** The head of a memory that fits into one value begins with it. */
const WHOLE = '=';
const MARK_BYTES = 16;
const NO_MARK = '';

/** The client's memory, and whose install it is. */
interface MarkedMemory {
  readonly mark: string;
  readonly text: string;
}

/** Parts are written to one side while the other one counts, so that the head switches at once. */
interface Parts {
  readonly side: 'a' | 'b';
  readonly count: number;
}

/** What is in the vault. */
interface Contents {
  /** Null where there is none of this install. */
  readonly memory: MarkedMemory | null;
  /** Null where all of it is in the head. */
  readonly parts: Parts | null;
}

/**
 * Keeps the client's memory in a vault, so that neither a backup nor a second device has it (rule
 * R15), and counts it for nothing where it was left by an earlier install of the app. A value that
 * grows over what a vault takes is spread over several; a crash between them leaves the old memory.
 */
export function createVaultStore(options: VaultStoreOptions): Store {
  const { shareTags } = options;
  const exclusive = createSerial();
  // A keystore takes milliseconds for each value, and the client reads often. What a write that
  // failed has left behind is read again.
  let known: Contents | null = null;
  return {
    update: (change) =>
      exclusive(async () => {
        const before = known ?? (await readOwn(options));
        known = null;
        const { text, result } = change(before.memory?.text ?? null);
        await shareTags?.(text);
        known = text === before.memory?.text ? before : await replace(options, text, before);
        return result;
      }),
    // Nobody else writes it: an app has one process.
    onChange: () => () => undefined,
  };
}

/** What is there, and whether it is of this install. */
async function readOwn({ vault, mark }: VaultStoreOptions): Promise<Contents> {
  const head = await vault.read(HEAD);
  const parts = head === null ? null : partsOf(head);
  const memory = head === null ? null : await readAll(vault, head, parts);
  const expected = mark === null ? NO_MARK : await mark.read();
  return { memory: memory?.mark === expected ? memory : null, parts };
}

async function replace(
  { vault, mark, cryptography }: VaultStoreOptions,
  text: string,
  { memory, parts }: Contents,
): Promise<Contents> {
  const isFirst = mark !== null && memory === null;
  const own = isFirst ? hexOf(cryptography.randomBytes(MARK_BYTES)) : (memory?.mark ?? NO_MARK);
  const next = { mark: own, text };
  const nextParts = await writeAll(vault, next, parts);
  if (isFirst) await mark.write(own);
  return { memory: next, parts: nextParts };
}

async function readAll(
  vault: Vault,
  head: string,
  parts: Parts | null,
): Promise<MarkedMemory | null> {
  if (parts === null) return parse(head.slice(WHOLE.length));
  const values = await Promise.all(partNames(parts).map((name) => vault.read(name)));
  return values.includes(null) ? null : parse(values.join(''));
}

/** The head is written last: until all of the new memory is there, the old one is in force. */
async function writeAll(
  vault: Vault,
  memory: MarkedMemory,
  before: Parts | null,
): Promise<Parts | null> {
  const encoded = asciiJson(memory);
  const isWhole = WHOLE.length + encoded.length <= VAULT_VALUE_LENGTH;
  const parts = isWhole ? null : await writeParts(vault, encoded, before);
  await vault.write(HEAD, parts === null ? WHOLE + encoded : `${parts.side}${parts.count}`);
  // They count no more, whether or not they can be removed; but they may name a former user.
  const removals = before === null ? [] : partNames(before).map((name) => vault.remove(name));
  await Promise.allSettled(removals);
  return parts;
}

async function writeParts(vault: Vault, encoded: string, before: Parts | null): Promise<Parts> {
  const values = slices(encoded);
  const parts: Parts = { side: before?.side === 'a' ? 'b' : 'a', count: values.length };
  const names = partNames(parts);
  await Promise.all(values.map((value, index) => vault.write(names[index] ?? '', value)));
  return parts;
}

function partsOf(head: string): Parts | null {
  const [, side, count] = /^([ab])(\d{1,4})$/.exec(head) ?? [];
  return count === undefined ? null : { side: side === 'a' ? 'a' : 'b', count: Number(count) };
}

function partNames({ side, count }: Parts): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${HEAD}.${side}.${index}`);
}

function slices(text: string): readonly string[] {
  const count = Math.ceil(text.length / VAULT_VALUE_LENGTH);
  return Array.from({ length: count }, (_, index) =>
    text.slice(index * VAULT_VALUE_LENGTH, (index + 1) * VAULT_VALUE_LENGTH),
  );
}

/** One character is one byte, so that the length of a value is its size. */
function asciiJson(memory: MarkedMemory): string {
  return JSON.stringify(memory).replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** What cannot be read any more is as good as lost: the client begins anew. */
function parse(encoded: string): MarkedMemory | null {
  try {
    const { mark, text } = JSON.parse(encoded) as Partial<Record<keyof MarkedMemory, unknown>>;
    return typeof mark === 'string' && typeof text === 'string' ? { mark, text } : null;
  } catch {
    return null;
  }
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
