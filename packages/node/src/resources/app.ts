import type { AppAnswer, AppChangeAnswer, AppInput, VapidKeyAnswer } from '@homing/protocol';
import type { CallOptions } from '../call.ts';
import type { Transport } from '../transport.ts';

export interface ChangeOptions extends CallOptions {
  /** Says what would be, and changes nothing. */
  readonly dryRun?: boolean;
}

/** The app that the secret key belongs to. */
export interface AppSettingsResource {
  /** The settings, and what is open to abuse as they are. */
  get(options?: CallOptions): Promise<AppAnswer>;
  /**
   * Changes the settings that are named; every process of the server follows within two seconds.
   */
  update(input: AppInput, options?: ChangeOptions): Promise<AppChangeAnswer>;
  /** What web pages pass to `pushManager.subscribe()`. */
  vapidKey(options?: CallOptions): Promise<VapidKeyAnswer>;
}

export function createAppSettings(transport: Transport): AppSettingsResource {
  return {
    get: (options) => transport.json('GET', ['app'], { options }),
    update: (input, { dryRun, ...options } = {}) =>
      transport.json('PATCH', ['app'], {
        json: input,
        query: { dry_run: dryRun === undefined ? undefined : String(dryRun) },
        options,
      }),
    vapidKey: (options) => transport.json('GET', ['app', 'vapid-key'], { options }),
  };
}
