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
  return (await witness(engine, envelope, 'displayed')) ? 'show' : 'withhold';
}

/**
 * Whether a push may be shown or opened here, with a receipt if so. Rule R9: what names somebody is
 * for nobody else. Whether they are here is looked at in the step that keeps the receipt, so that a
 * logout comes before the verdict or clears what it led to.
 */
export async function witness(
  engine: Engine,
  { id, rcpt }: PushEnvelope,
  kind: ReceiptKind,
): Promise<boolean> {
  const addressees = rcpt === undefined ? null : await addresseesOf(engine, rcpt);
  const concerns = ({ users }: Memory): boolean =>
    addressees === null || users.some((user) => addressees.includes(user.id));
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

/** Who of those that are here has this tag. */
async function addresseesOf(engine: Engine, rcpt: string): Promise<readonly string[]> {
  const memory = await read(engine);
  const ids = memory.users.map(({ id }) => id);
  const tags = await Promise.all(ids.map((id) => addresseeTag(engine.cryptography, memory, id)));
  return ids.filter((_, index) => tags[index] === rcpt);
}
