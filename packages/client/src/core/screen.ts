import type { UpdateMemory } from './memory-store.ts';
import type { Platform } from './ports.ts';

/**
 * Takes off the screen what may be for somebody who has left (S61). That it has to be done was
 * noted together with the leaving, so that a killed process leaves it to the next start; so does
 * one that cannot note that it is done.
 */
export async function clearScreen(
  platform: Pick<Platform, 'clearShown'>,
  update: UpdateMemory,
): Promise<void> {
  await platform.clearShown();
  await update((memory) => [
    memory.isScreenStale ? { ...memory, isScreenStale: false } : memory,
    null,
  ]).catch(() => null);
}
