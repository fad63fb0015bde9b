import type { DeviceFacts } from '../core/ports.ts';

/** What is used of React Native's `Platform`. */
export interface SystemPlatform {
  readonly OS: string;
  /** The API level on Android, a text such as `18.1` on iOS. */
  readonly Version: number | string;
  readonly constants: object;
}

/** What only the app can say, from `expo-application` or `react-native-device-info`. */
export interface AppFacts {
  /** `identifierForVendor` or ANDROID_ID: by it the server notices an app that was reinstalled. */
  readonly vendorId?: string | null;
  readonly appVersion?: string | null;
  /** A name that its owner knows the device by. */
  readonly label?: string | null;
  readonly model?: string | null;
}

/** Puts together what is known of the device; what is unknown is left out. */
export function deviceFacts(system: SystemPlatform, app: AppFacts): DeviceFacts {
  const { locale, timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  const constants: Readonly<Record<string, unknown>> = { ...system.constants };
  const { Model, Release } = constants;
  return {
    platform: system.OS,
    os_version: typeof Release === 'string' ? Release : String(system.Version),
    locale,
    time_zone: timeZone,
    ...known('vendor_id', app.vendorId),
    ...known('app_version', app.appVersion),
    ...known('label', app.label),
    ...known('model', app.model ?? (typeof Model === 'string' ? Model : null)),
  };
}

function known<Name extends keyof DeviceFacts>(
  name: Name,
  value: string | null | undefined,
): Partial<Record<Name, string>> {
  const fact: Partial<Record<Name, string>> = {};
  if (value !== null && value !== undefined && value !== '') fact[name] = value;
  return fact;
}
