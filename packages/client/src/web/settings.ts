import type { PushClientOptions } from '../core/push-client-options.ts';
import { changeText } from './kept-text.ts';

/** What a page was set up with; its worker, which the browser starts alone, reads it. */
export interface Settings extends Omit<PushClientOptions, 'sdkVersion'> {
  /** Where Homing is: `https://push.example.com`. */
  readonly baseUrl: string;
  readonly appVersion?: string;
}

/** Leaves the settings for the worker. Rejects with `storage`. */
export function keepSettings(settings: Settings): Promise<void> {
  const text = JSON.stringify(settings);
  return changeText('settings', () => ({ text, result: undefined }));
}

/** Null where no page has left any. Rejects with `storage`. */
export async function readSettings(): Promise<Settings | null> {
  const text = await changeText('settings', (text) => ({ text, result: text }));
  return text === null ? null : (JSON.parse(text) as Settings);
}
