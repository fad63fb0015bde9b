import type { NotificationInput } from '@homing/protocol';
import { fieldError } from './api-error.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * What a notification for a purpose has to say (Apple, "Starting and updating Live Activities with
 * ActivityKit push notifications"); throws the field at fault. Apple takes a push that lacks any of
 * it, and the phone throws it away without a word.
 */
export function checkPurpose({ audience, content, options, overrides }: NotificationInput): void {
  const { purpose, activity_id: activityId, silent } = options ?? {};
  if ((activityId !== undefined) !== (purpose === 'live_activity')) {
    throw fieldError('/options/activity_id', 'goes with the purpose "live_activity", and only so');
  }
  if (purpose === undefined) return;
  if (!('users' in audience) && !('installations' in audience)) {
    throw fieldError('/audience', 'has to name users or installations where there is a purpose');
  }
  if (silent === true) throw fieldError('/options/silent', 'is for alerts, and this has a purpose');
  const aps = fields(overrides?.apns?.['aps']) ?? {};
  if (purpose === 'live_activity') checkUpdate(aps);
  if (purpose === 'push_to_start') checkStart(aps, content);
}

const APS = '/overrides/apns/aps';

function checkUpdate(aps: Fields): void {
  if (aps['event'] !== 'update' && aps['event'] !== 'end') {
    throw fieldError(`${APS}/event`, 'has to be "update" or "end"');
  }
  if (aps['event'] === 'update' || aps['content-state'] !== undefined) {
    requireObject(aps, 'content-state');
  }
  checkTimes(aps);
}

function checkStart(aps: Fields, content: NotificationInput['content']): void {
  if (aps['event'] !== 'start') throw fieldError(`${APS}/event`, 'has to be "start"');
  requireObject(aps, 'content-state');
  requireObject(aps, 'attributes');
  const type = aps['attributes-type'];
  if (typeof type !== 'string' || type === '') {
    throw fieldError(`${APS}/attributes-type`, 'has to name the type of the attributes');
  }
  if (content.body === undefined) {
    throw fieldError('/content/body', 'is needed: a Live Activity starts with an alert');
  }
  checkTimes(aps);
}

function requireObject(aps: Fields, name: string): void {
  if (fields(aps[name]) === null) throw fieldError(`${APS}/${name}`, 'has to be an object');
}

function checkTimes(aps: Fields): void {
  for (const name of ['timestamp', 'stale-date', 'dismissal-date']) {
    const value = aps[name];
    if (value === undefined || (Number.isSafeInteger(value) && Number(value) >= 0)) continue;
    throw fieldError(`${APS}/${name}`, 'has to be whole seconds since 1970');
  }
}

function fields(value: unknown): Fields | null {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Fields) : null;
}
