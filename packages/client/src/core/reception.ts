import { addresseeTag } from './addressee-tag.ts';
import { learn, read, report, update, type Engine } from './engine.ts';
import type { Memory } from './memory.ts';
import { poke } from './outbox.ts';
import type { PushEnvelope, ReceiptKind, Verdict } from './push-client.ts';
import { addReceipt } from './receipt-lane.ts';
import { look } from './token-watch.ts';

/** `PushClient.received`: a challenge is echoed, everything else is judged. */
export async function received(engine: Engine, envelope: PushEnvelope): Promise<Verdict> {
  const { challenge } = envelope;
  if (challenge !== undefined) {
    learn(engine, { takeover: challenge });
    await look(engine);
    poke(engine, true);
    return 'withhold';
  }
  const concerns = await judgeOf(engine, envelope);
  return concerns(await read(engine)) ? 'show' : 'withhold';
}

/**
 * Whether a push may still be on the screen, or be opened, with a receipt if so. Whether its
 * addressees are here is looked at in the step that keeps the receipt, so that a logout comes
 * before it or clears the screen after it.
 */
export async function witness(
  engine: Engine,
  envelope: PushEnvelope,
  kind: ReceiptKind,
): Promise<boolean> {
  const { id } = envelope;
  const concerns = await judgeOf(engine, envelope);
  const at = new Date(engine.time.now()).toISOString();
  try {
    const isConcerned = await update(engine, (memory) => {
      const isConcerned = concerns(memory);
      const isReported = isConcerned && id.startsWith('ntf_');
      const next = isReported ? addReceipt(memory, { notification_id: id, kind, at }) : memory;
      return [next, isConcerned];
    });
    if (isConcerned) poke(engine, false);
    return isConcerned;
  } catch (error) {
    // That a receipt is lost is no reason to fail whoever shows the push.
    report(engine, 'storage', String(error));
    return concerns(await read(engine));
  }
}

/**
 * Tells of a memory whether it has somebody whom a push is for. Rule R9: what names somebody is for
 * nobody else.
 */
async function judgeOf(
  engine: Engine,
  { rcpt }: PushEnvelope,
): Promise<(memory: Memory) => boolean> {
  if (rcpt === undefined) return () => true;
  const memory = await read(engine);
  const ids = memory.users.map(({ id }) => id);
  const tags = await Promise.all(ids.map((id) => addresseeTag(engine.cryptography, memory, id)));
  const addressees = new Set(ids.filter((_, index) => tags[index] === rcpt));
  return ({ users }) => users.some((user) => addressees.has(user.id));
}
