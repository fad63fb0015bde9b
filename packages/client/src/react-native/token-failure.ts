import type { TokenAnswer } from '../core/ports.ts';

type TokenFailure = Extract<TokenAnswer, { readonly kind: 'failed' }>;

/** Names as Google's services and native modules write them, such as SERVICE_NOT_AVAILABLE. */
const SYSTEM_NAME = /\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/;
const MAX_DETAIL_LENGTH = 500;

export function tokenFailure(code: string, detail: string): TokenFailure {
  return { kind: 'failed', code, detail: detail.slice(0, MAX_DETAIL_LENGTH) };
}

/**
 * What the system threw, as a value. The code is the name that the system itself gives in the
 * message, because the modules around it often have one code for all (`messaging/unknown`);
 * otherwise the module's.
 */
export function thrownTokenFailure(error: unknown): TokenFailure {
  const message = error instanceof Error ? error.message : String(error);
  const own = error instanceof Error && 'code' in error ? error.code : null;
  const code = SYSTEM_NAME.exec(message)?.[0] ?? (typeof own === 'string' ? own : 'unknown');
  return tokenFailure(code, message);
}
