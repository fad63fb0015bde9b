import {
  emit,
  end,
  failed,
  later,
  learn,
  read,
  replace,
  report,
  succeeded,
  track,
  type Engine,
} from './engine.ts';
import { isAllowed } from './live.ts';
import { poke } from './outbox.ts';
import type { Permission, TokenAnswer } from './ports.ts';

/** A system that says nothing for so long has no token at the moment; what it says later counts. */
const PATIENCE_MS = 30_000;
const TIMEOUT = { kind: 'failed', code: 'timeout', detail: '' } as const;

/** Hears, from the first call on, what the system says of the token unasked. */
export function listenForTokens(engine: Engine): void {
  const stop = engine.platform.onToken((token) => {
    forgetToken(engine);
    if (token === null) track(engine, look(engine));
    else hear(engine, { kind: 'token', token });
  });
  replace(engine, 'tokens', stop);
}

/**
 * Reads what the system says of this device, and asks for a token where there may be one: at every
 * start and whenever the app comes back, never from what an earlier process knew.
 */
export async function look(engine: Engine): Promise<Permission> {
  const { platform } = engine;
  const [device, permission] = await Promise.all([platform.device(), platform.permission()]);
  const before = engine.permission;
  learn(engine, { device, permission });
  if (before !== null && before !== permission) emit(engine, 'permission', { permission });
  const { isUnsubscribed } = await read(engine);
  // Another look may have begun and ended meanwhile; what it was told is newer.
  if (!isUnsubscribed && isAllowed(engine.permission)) ask(engine);
  poke(engine, false);
  return permission;
}

/** Gives the token back to the system. */
export async function dropToken(engine: Engine): Promise<void> {
  forgetToken(engine);
  await engine.platform.dropToken();
}

/** What the system said of a token is of the past, and what it still owes will be. */
export function forgetToken(engine: Engine): void {
  replace(engine, 'question', () => {});
  end(engine, 'asking');
  learn(engine, { token: null });
}

function ask(engine: Engine): void {
  const answered = new Promise<void>((resolve) => replace(engine, 'question', resolve));
  const question = engine.ends.get('question');
  const hearOnce = (answer: TokenAnswer): void => {
    if (question === engine.ends.get('question')) hear(engine, answer);
  };
  later(engine, 'asking', PATIENCE_MS, () => hearOnce(TIMEOUT));
  track(engine, Promise.race([engine.platform.token().then(hearOnce), answered]));
}

function hear(engine: Engine, token: TokenAnswer): void {
  const before = engine.token;
  end(engine, 'question');
  end(engine, 'asking');
  learn(engine, { token });
  if (token.kind === 'token') {
    succeeded(engine, 'token');
    engine.onToken?.();
  } else {
    const { code, detail } = token;
    const isNews = before?.kind !== 'failed' || before.code !== code;
    if (isNews) {
      emit(engine, 'token_error', { code, detail });
      report(engine, 'token_error', `${code} ${detail}`);
    }
    later(engine, 'asking', failed(engine, 'token'), () => track(engine, look(engine)));
  }
  poke(engine, false);
}
