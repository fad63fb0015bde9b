/**
 * Why this page cannot have push: it was not loaded over https; it is Safari on an iPhone or iPad,
 * where only a web app on the home screen can; or the browser lacks something.
 */
export type Unsupported = 'insecure_context' | 'home_screen_only' | 'no_push';

const NEEDED = ['PushManager', 'Notification', 'BroadcastChannel', 'indexedDB'];

/** Null where push is there for the asking. */
export function unsupportedHere(): Unsupported | null {
  if (!globalThis.isSecureContext) return 'insecure_context';
  const isThere =
    ['serviceWorker', 'locks'].every((name) => name in navigator) &&
    NEEDED.every((name) => name in globalThis);
  if (isThere) return null;
  // Only iOS says whether a page was started from the home screen.
  return 'standalone' in navigator && !navigator.standalone ? 'home_screen_only' : 'no_push';
}
