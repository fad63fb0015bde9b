/** The part of the standard `fetch` that the SDK calls. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface HomingOptions {
  /** `https://push.example.com`, with a path where a proxy gives the server one. */
  readonly baseUrl: string;
  /** `hmg_sk_live_…` or `hmg_sk_test_…`. */
  readonly secretKey: string;
  /** Stands in for the global `fetch`: for outbound proxies, private authorities, and tests. */
  readonly fetch?: Fetch;
  /**
   * How long a call may take, repetitions included; default a minute, for uploads a quarter hour.
   */
  readonly timeoutMs?: number;
  /** How long one attempt may take, so that a lost one leaves time for the next; default 30 s. */
  readonly attemptTimeoutMs?: number;
  /** How often a request is repeated at most; default 6, and 0 for never. */
  readonly retries?: number;
}

/** The options with defaults, checked. */
export interface Settings {
  /** Without a slash at the end. */
  readonly baseUrl: string;
  readonly secretKey: string;
  readonly fetch: Fetch;
  /** Null: each kind of call has a default of its own. */
  readonly timeoutMs: number | null;
  readonly attemptTimeoutMs: number;
  readonly retries: number;
}

/** Longer than the server itself waits for a provider that it asks about a credential (25 s). */
const ATTEMPT_TIMEOUT_MS = 30_000;
/** With their pauses, about eight seconds in the mean: a restart of the server passes unnoticed. */
const RETRIES = 6;

/** Throws a `TypeError` that says which option is wrong, and never shows the key. */
export function toSettings(options: HomingOptions): Settings {
  const { timeoutMs = null, attemptTimeoutMs = ATTEMPT_TIMEOUT_MS, retries = RETRIES } = options;
  requireSecretKey(options.secretKey);
  if (timeoutMs !== null) requireDuration('timeoutMs', timeoutMs);
  requireDuration('attemptTimeoutMs', attemptTimeoutMs);
  if (!Number.isSafeInteger(retries) || retries < 0) {
    throw new TypeError('retries has to be a whole number, 0 or more');
  }
  return {
    baseUrl: toBaseUrl(options.baseUrl),
    secretKey: options.secretKey,
    // Called each time by its global name, so that what is put there later is used.
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    timeoutMs,
    attemptTimeoutMs,
    retries,
  };
}

/** Beyond these, timers fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export function requireDuration(name: string, milliseconds: number): void {
  if (!(milliseconds > 0 && milliseconds <= MAX_TIMER_MS)) {
    throw new TypeError(`${name} has to be a number of milliseconds above 0`);
  }
}

/** Also keeps out what could not stand in a header, since an error about that would show it. */
function requireSecretKey(secretKey: string): void {
  if (typeof secretKey === 'string' && /^hmg_sk_(?:live|test)_[0-9A-Za-z]+$/.test(secretKey))
    return;
  throw new TypeError(
    'secretKey has to be the secret key of an app: hmg_sk_live_… or hmg_sk_test_…',
  );
}

function toBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isPlain =
    url !== null &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    `${url.username}${url.password}${url.search}${url.hash}` === '';
  if (!isPlain) {
    throw new TypeError('baseUrl has to be http(s)://host, with a path at most: no user, no query');
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}
