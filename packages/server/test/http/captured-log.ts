import { createLogger } from '@homing/server';

/** A logger at the most talkative level whose lines a test can search. */
export interface CapturedLog {
  readonly logger: ReturnType<typeof createLogger>;
  text(): string;
}

export function captureLog(): CapturedLog {
  const lines: string[] = [];
  const logger = createLogger('debug', { write: (line: string) => lines.push(line) });
  return { logger, text: () => lines.join('') };
}
