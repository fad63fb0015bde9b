import type { MeasurePush } from './sending/validate-notification.ts';
import { measureApnsPayload } from './providers/apns/payload.ts';
import { measureFcmPayload } from './providers/fcm/payload.ts';

/** The providers' own payload builders, as the dry run asks them: no credential, no connection. */
export const measurePush: MeasurePush = (provider, push) => {
  switch (provider) {
    case 'apns':
      return measureApnsPayload(push);
    case 'fcm':
      return measureFcmPayload(push);
    case 'webpush':
    case 'expo':
    case 'hms':
      return null;
  }
};
