import type { InstallationInput } from '@homing/protocol';
import type { DeviceFacts } from '../domain/installation.ts';
import type { DevicePatch } from '../domain/registration.ts';
import { contentHash } from './canonical-json.ts';

/** The device group of a packet, or null when the packet does not carry it. */
export function toDevicePatch(
  body: InstallationInput,
): { readonly patch: DevicePatch; readonly hash: Buffer } | null {
  const { permission, device, tags, device_tags: deviceTags } = body;
  const group = { permission, device, tags, device_tags: deviceTags };
  if (Object.values(group).every((part) => part === undefined)) return null;
  const patch: DevicePatch = {
    facts: toFacts(device ?? {}),
    ...(permission !== undefined && { permission }),
    ...(tags !== undefined && { tags }),
    ...(deviceTags !== undefined && { deviceTags }),
  };
  return { patch, hash: contentHash(group) };
}

const FIELDS = {
  platform: 'platform',
  vendor_id: 'vendorId',
  label: 'label',
  model: 'model',
  os_version: 'osVersion',
  app_version: 'appVersion',
  sdk_version: 'sdkVersion',
  locale: 'locale',
  time_zone: 'timeZone',
} as const satisfies Record<keyof NonNullable<InstallationInput['device']>, keyof DeviceFacts>;

function toFacts(device: NonNullable<InstallationInput['device']>): Partial<DeviceFacts> {
  const entries = Object.entries(device).map(([field, value]) => [
    FIELDS[field as keyof typeof FIELDS],
    value,
  ]);
  return Object.fromEntries(entries) as Partial<DeviceFacts>;
}
