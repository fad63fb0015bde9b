import { listOf, readAnswer, toBody, usersIn, type ReadAnswer } from './answer.ts';
import { read, type Engine } from './engine.ts';
import { hex } from './hex.ts';
import { tokenOf, type Live } from './live.ts';
import type { Memory } from './memory.ts';
import type { Cryptography } from './ports.ts';
import type { SelfCheck } from './push-client.ts';
import { toRequest } from './request.ts';

const PATIENCE_MS = 30_000;

/** Asks the server what it holds, whatever else is under way; null when it did not answer. */
export async function selfCheck(engine: Engine): Promise<SelfCheck | null> {
  const { time, transport, cryptography } = engine;
  const memory = await read(engine);
  const request = toRequest(engine, memory, { method: 'GET', path: '', body: null });
  const abort = new AbortController();
  const cancel = time.after(PATIENCE_MS, () => abort.abort());
  const answer = await transport(request, abort.signal);
  cancel();
  return answer && compare(memory, engine, readAnswer(answer), cryptography);
}

/** What the server holds, held against what this device wants it to hold. */
async function compare(
  memory: Memory,
  live: Live,
  { status, code, body }: ReadAnswer,
  cryptography: Cryptography,
): Promise<SelfCheck> {
  if (status !== 200) return { status: code, differences: [] };
  const token = tokenOf(live, memory.isUnsubscribed);
  const held = toBody(body['token']);
  const isHeld = body['token'] !== null && held['status'] === 'live';
  const isUnlike: Readonly<Record<SelfCheck['differences'][number], boolean>> = {
    token:
      token === null || typeof token === 'string'
        ? token === null && body['token'] !== null
        : !isHeld || held['masked'] !== (await fingerprint(addressOf(token), cryptography)),
    user: !isSame(
      usersIn(body) ?? [],
      memory.users.map(({ id }) => id),
    ),
    permission: body['permission'] !== live.permission,
    device: Object.entries(live.device ?? {}).some(
      ([name, value]) => toBody(body['device'])[name] !== value,
    ),
    tags: !holds(body['tags'], memory.tags) || !holds(body['device_tags'], memory.deviceTags),
    topics: !isSame(
      listOf(body['topics']).map((topic) => String(toBody(topic)['topic'])),
      memory.topics.filter(({ isWanted }) => isWanted).map(({ name }) => name),
    ),
  };
  const fields = Object.keys(isUnlike) as (keyof typeof isUnlike)[];
  return { status: String(body['status']), differences: fields.filter((name) => isUnlike[name]) };
}

type HeldToken = Exclude<ReturnType<typeof tokenOf>, string | null>;

function addressOf(token: HeldToken): string {
  if (token.provider === 'webpush') return token.endpoint;
  return token.provider === 'apns' ? token.value.toLowerCase() : token.value;
}

/** As the server masks tokens: the first eight hex digits of the SHA-256. */
async function fingerprint(text: string, cryptography: Cryptography): Promise<string> {
  const digest = await cryptography.sha256(new TextEncoder().encode(text));
  return hex(digest.slice(0, 4));
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return JSON.stringify(some.toSorted()) === JSON.stringify(others.toSorted());
}

/** Tags that were never set are whatever they are. */
function holds(held: unknown, wanted: Memory['tags']): boolean {
  const entries = Object.entries(wanted ?? {});
  const stored = toBody(held);
  return (
    wanted === null ||
    (Object.keys(stored).length === entries.length &&
      entries.every(([name, value]) => stored[name] === value))
  );
}
