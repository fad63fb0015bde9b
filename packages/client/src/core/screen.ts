import { change, type Engine } from './engine.ts';

/**
 * Takes off the screen what may be for somebody who has left (S61). That it has to be done was
 * noted together with the leaving, so that a killed process leaves it to the next start; so does
 * one that cannot note that it is done.
 */
export async function clearScreen(engine: Engine): Promise<void> {
  await engine.platform.clearShown();
  await change(engine, (memory) => ({ ...memory, isScreenStale: false })).catch(() => null);
}
