import type { PushClient } from '../core/push-client.ts';

/** What is used of React Native's `AppState`. */
export interface AppState {
  addEventListener(type: 'change', listener: (state: string) => void): { remove(): void };
}

/**
 * Wakes the client whenever the app comes to the foreground: the network may be back, and the
 * person may have been to the settings. The result ends it.
 */
export function wakeInForeground(client: Pick<PushClient, 'wake'>, appState: AppState): () => void {
  const subscription = appState.addEventListener('change', (state) => {
    if (state === 'active') client.wake();
  });
  return () => subscription.remove();
}
