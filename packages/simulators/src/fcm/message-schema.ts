import type { FieldType } from './violations.ts';

// The request of projects.messages.send (FCM HTTP v1 REST reference, "Message"), field by field.

const string: FieldType = { kind: 'string' };
const bool: FieldType = { kind: 'bool' };
const int32: FieldType = { kind: 'int32' };
const float: FieldType = { kind: 'float' };
const duration: FieldType = { kind: 'duration' };
const struct: FieldType = { kind: 'struct' };
const stringMap: FieldType = { kind: 'map' };

const color = message('Color', { red: float, green: float, blue: float, alpha: float });

const lightSettings = message('LightSettings', {
  color,
  light_on_duration: duration,
  light_off_duration: duration,
});

const androidNotification = message('AndroidNotification', {
  title: string,
  body: string,
  icon: string,
  color: string,
  sound: string,
  tag: string,
  click_action: string,
  body_loc_key: string,
  body_loc_args: listOf(string),
  title_loc_key: string,
  title_loc_args: listOf(string),
  channel_id: string,
  ticker: string,
  sticky: bool,
  event_time: { kind: 'timestamp' },
  local_only: bool,
  notification_priority: oneOf('AndroidNotification.NotificationPriority', [
    'PRIORITY_UNSPECIFIED',
    'PRIORITY_MIN',
    'PRIORITY_LOW',
    'PRIORITY_DEFAULT',
    'PRIORITY_HIGH',
    'PRIORITY_MAX',
  ]),
  default_sound: bool,
  default_vibrate_timings: bool,
  default_light_settings: bool,
  vibrate_timings: listOf(duration),
  visibility: oneOf('AndroidNotification.Visibility', [
    'VISIBILITY_UNSPECIFIED',
    'PRIVATE',
    'PUBLIC',
    'SECRET',
  ]),
  notification_count: int32,
  light_settings: lightSettings,
  image: string,
  proxy: oneOf('AndroidNotification.Proxy', [
    'PROXY_UNSPECIFIED',
    'ALLOW',
    'DENY',
    'IF_PRIORITY_LOWERED',
  ]),
});

const androidConfig = message('AndroidConfig', {
  collapse_key: string,
  priority: oneOf('AndroidMessagePriority', ['NORMAL', 'HIGH']),
  ttl: duration,
  restricted_package_name: string,
  data: stringMap,
  notification: androidNotification,
  fcm_options: message('AndroidFcmOptions', { analytics_label: string }),
  direct_boot_ok: bool,
  bandwidth_constrained_ok: bool,
  restricted_satellite_ok: bool,
});

const apnsConfig = message('ApnsConfig', {
  headers: stringMap,
  payload: struct,
  fcm_options: message('ApnsFcmOptions', { analytics_label: string, image: string }),
  live_activity_token: string,
});

const webpushConfig = message('WebpushConfig', {
  headers: stringMap,
  data: stringMap,
  notification: struct,
  fcm_options: message('WebpushFcmOptions', { link: string, analytics_label: string }),
});

/** The body of a send request. Names are in snake_case; JSON may use camelCase as well. */
export const SEND_MESSAGE_REQUEST: FieldType = message('SendMessageRequest', {
  validate_only: bool,
  message: message('Message', {
    name: string,
    fid: string,
    token: string,
    topic: string,
    condition: string,
    data: stringMap,
    notification: message('Notification', { title: string, body: string, image: string }),
    android: androidConfig,
    apns: apnsConfig,
    webpush: webpushConfig,
    fcm_options: message('FcmOptions', { analytics_label: string }),
  }),
});

function message(typeName: string, fields: Readonly<Record<string, FieldType>>): FieldType {
  return { kind: 'message', typeName, fields };
}

function listOf(of: FieldType): FieldType {
  return { kind: 'list', of };
}

function oneOf(typeName: string, values: readonly string[]): FieldType {
  return { kind: 'enum', typeName, values };
}
