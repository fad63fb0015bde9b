import type { EventDraft } from '../domain/event.ts';
import { appendEvents, hasEvent } from '../store/events.ts';
import type { Transaction } from '../store/sql.ts';
import { sourceOf, type RegistryContext } from './caller.ts';

/**
 * Tells the timeline of a packet that was refused for its sequence, once for each sequence: a
 * client that repeats it for ever must not fill the timeline.
 */
export async function reportOnce(
  tx: Transaction,
  context: RegistryContext,
  draft: EventDraft & { readonly seq?: number | null },
): Promise<void> {
  const { app, caller, requestId, now } = context;
  const { installationRef, kind, seq = null } = draft;
  if (seq !== null && (await hasEvent(tx, installationRef, kind, seq))) return;
  const at = { appRef: app.ref, at: now, source: sourceOf(caller), requestId };
  await appendEvents(tx, at, [draft]);
}
