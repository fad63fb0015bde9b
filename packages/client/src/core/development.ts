import { later, read, track, type Engine } from './engine.ts';
import { registeredState } from './state-lane.ts';

/** By then a token should have an acknowledged registration. */
const WARNING_MS = 10_000;

/** Says on the console of a development build that the server has not heard of a token for long. */
export function warnOfSilence(engine: Engine): void {
  const warn = async (): Promise<void> => {
    if (registeredState(await read(engine), engine) !== null) return;
    console.warn('Homing: this device has a token and no acknowledged registration after 10 s.');
  };
  engine.onToken = () => later(engine, 'warning', WARNING_MS, () => track(engine, warn()));
}
