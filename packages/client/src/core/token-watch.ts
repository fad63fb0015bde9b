import {
  emit,
  failed,
  FEWEST_TOKEN_FAILURES,
  later,
  learn,
  read,
  reportToken,
  track,
  type Engine,
} from './engine.ts';
import { isAllowed } from './live.ts';
import { poke } from './outbox.ts';
import type { Permission, TokenAnswer } from './ports.ts';

/** A system that says nothing for so long has no token at the moment; what it says later counts. */
const PATIENCE_MS = 30_000;
const TIMEOUT = { kind: 'failed', code: 'timeout', detail: 'the system does not answer' } as const;

/** Hears, once, what the system says of the token unasked. */
export function listenForTokens(engine: Engine): void {
  if (engine.cancels.has('tokens')) return;
  const stop = engine.ports.platform.onToken((token) => {
    engine.question += 1;
    if (token === null) learn(engine, { token });
    else hear(engine, { kind: 'token', token });
  });
  engine.cancels.set('tokens', stop);
}

/**
 * Reads what the system says of this device, and asks for a token where there may be one: at every
 * start and whenever the app comes back, never from what an earlier process knew.
 */
export async function look(engine: Engine): Promise<Permission> {
  const { platform } = engine.ports;
  const [device, permission] = await Promise.all([platform.device(), platform.permission()]);
  const before = engine.live.permission;
  learn(engine, { device, permission });
  if (before !== null && before !== permission) emit(engine, 'permission', { permission });
  const { isUnsubscribed } = await read(engine);
  if (!isUnsubscribed && isAllowed(permission)) ask(engine);
  poke(engine, false);
  return permission;
}

/** Gives the token back; answers to earlier questions are of the past. */
export async function dropToken(engine: Engine): Promise<void> {
  engine.question += 1;
  learn(engine, { token: null });
  await engine.ports.platform.dropToken();
}

function ask(engine: Engine): void {
  engine.heard();
  engine.question += 1;
  const { question } = engine;
  const hearOnce = (answer: TokenAnswer): void => {
    if (question === engine.question) hear(engine, answer);
  };
  const heard = new Promise<void>((resolve) => {
    engine.heard = resolve;
  });
  later(engine, 'token', PATIENCE_MS, () => hearOnce(TIMEOUT));
  track(engine, Promise.race([engine.ports.platform.token().then(hearOnce), heard]));
}

function hear(engine: Engine, token: TokenAnswer): void {
  const { failures, live } = engine;
  engine.heard();
  engine.cancels.get('token')?.();
  learn(engine, { token });
  if (token.kind === 'token') {
    failures.token = FEWEST_TOKEN_FAILURES;
    engine.onToken();
  } else {
    const { code, detail } = token;
    const isNews = live.token?.kind !== 'failed' || live.token.code !== code;
    if (isNews) reportToken(engine, code, detail);
    later(engine, 'token', failed(engine, 'token'), () => track(engine, look(engine)));
  }
  poke(engine, false);
}
