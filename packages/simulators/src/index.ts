export { createCertificateAuthority } from './certificate-authority.ts';
export type {
  ApnsClientIdentity,
  CertificateAuthority,
  TlsIdentity,
} from './certificate-authority.ts';
export type { Connection, GoawayNotice } from './connection.ts';
export type { DeviceBook } from './device-book.ts';
export type { AnswerFault, Fault, FaultKind, Match } from './fault.ts';
export type { Faults, ScheduledFault } from './faults.ts';
export type { Hold, HoldPoint } from './hold.ts';
export { startInspection } from './inspection.ts';
export type { Inspection, InspectionOptions } from './inspection.ts';
export { createJournal } from './journal.ts';
export type {
  Entry,
  EntryFilter,
  Environment,
  Journal,
  JournalCounters,
  JournalOptions,
  ProviderName,
} from './journal.ts';
export type { Sentinel } from './sentinel-tokens.ts';
export type { Arrival, ShelfView } from './shelf.ts';

export { APNS_REASONS } from './apns/answers.ts';
export type { ApnsReason } from './apns/answers.ts';
export type { ApnsDeviceState } from './apns/device-states.ts';
export { createApnsKey } from './apns/key.ts';
export type { ApnsKey, ApnsKeyPair } from './apns/key.ts';
export type { ApnsKnobs } from './apns/knobs.ts';
export { APNS_SENTINELS } from './apns/sentinel-tokens.ts';
export { startApnsSimulator } from './apns/simulator.ts';
export type { ApnsSimulator, ApnsSimulatorOptions } from './apns/simulator.ts';

export type { ExpoDeviceState } from './expo/device-states.ts';
export type { ExpoKnobs } from './expo/knobs.ts';
export { EXPO_RECEIPTS_PATH, EXPO_SEND_PATH } from './expo/request.ts';
export { EXPO_SENTINELS } from './expo/sentinel-tokens.ts';
export { startExpoSimulator } from './expo/simulator.ts';
export type { ExpoSimulator, ExpoSimulatorOptions } from './expo/simulator.ts';

export type { FcmDeviceState } from './fcm/device-states.ts';
export type { FcmKnobs } from './fcm/knobs.ts';
export { FCM_SENTINELS } from './fcm/sentinel-tokens.ts';
export { createServiceAccount } from './fcm/service-account.ts';
export type {
  CreatedServiceAccount,
  FcmProject,
  ServiceAccount,
  ServiceAccountFile,
} from './fcm/service-account.ts';
export { FCM_TOKEN_PATH } from './fcm/service.ts';
export { startFcmSimulator } from './fcm/simulator.ts';
export type { FcmSimulator, FcmSimulatorOptions } from './fcm/simulator.ts';

export { createHmsApp, createHmsServiceAccount } from './hms/app.ts';
export type {
  CreatedHmsServiceAccount,
  HmsApp,
  HmsServiceAccount,
  HmsServiceAccountFile,
} from './hms/app.ts';
export type { HmsDeviceState } from './hms/device-states.ts';
export type { HmsKnobs } from './hms/knobs.ts';
export { HMS_SENTINELS } from './hms/sentinel-tokens.ts';
export { HMS_TOKEN_PATH } from './hms/service.ts';
export { startHmsSimulator } from './hms/simulator.ts';
export type { HmsSimulator, HmsSimulatorOptions } from './hms/simulator.ts';
export type { WebPushKnobs } from './webpush/knobs.ts';
export type { PersonalityName } from './webpush/personality.ts';
export { WEB_PUSH_SENTINELS } from './webpush/sentinel-tokens.ts';
export { startWebPushSimulator } from './webpush/simulator.ts';
export type { WebPushSimulator, WebPushSimulatorOptions } from './webpush/simulator.ts';
export type {
  EncryptedMessage,
  SubscriptionHolder,
  SubscriptionRequest,
} from './webpush/subscription.ts';
export type { WebPushSubscriptionState } from './webpush/subscription-states.ts';
export { createUserAgent } from './webpush/user-agent.ts';
export type { PushSubscriptionJson, UserAgent } from './webpush/user-agent.ts';
export { startPushSocket } from './webpush/socket/push-socket.ts';
export type { PushSocket, PushSocketOptions } from './webpush/socket/push-socket.ts';
export type { Frame } from './webpush/socket/session.ts';
export { createVapidKeys } from './webpush/vapid-keys.ts';
export type { VapidKeys } from './webpush/vapid-keys.ts';
