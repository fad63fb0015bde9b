/**
 * A text that goes when the app is uninstalled. The keychain of iOS does not go, so that what is
 * found there belongs to this install only if the same mark stands on it.
 */
export interface InstallMark {
  read(): Promise<string | null>;
  write(mark: string): Promise<void>;
}

/** What is used of React Native's `Settings`, which iOS alone has: the app's user defaults. */
export interface Settings {
  get(key: string): unknown;
  set(settings: Readonly<Record<string, unknown>>): void;
}

const KEY = 'homing.install';

/** A mark in the user defaults of iOS, which an app seldom clears as a whole. */
export function createSettingsMark(settings: Settings): InstallMark {
  return {
    read: async () => {
      const mark = settings.get(KEY);
      return typeof mark === 'string' && mark !== '' ? mark : null;
    },
    write: async (mark) => settings.set({ [KEY]: mark }),
  };
}
