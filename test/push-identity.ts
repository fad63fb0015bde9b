import type { Entry } from '@homing/simulators';

/** By what a push is known to be the same as another one. */
export interface PushIdentity {
  /** The id that Homing derives from notification, installation and user. */
  readonly id: string;
  /** By what the phone replaces one by the other, instead of showing both. */
  readonly collapseId: string;
}

interface FcmBody {
  readonly message: {
    readonly data: { readonly homing_id: string };
    readonly android: { readonly notification: { readonly tag: string } };
  };
}

interface ExpoBody {
  readonly data: { readonly homing: { readonly push: string } };
  readonly tag: string;
}

/** The identity of a push that a simulator received. */
export function pushIdentity(entry: Entry): PushIdentity {
  if (entry.provider === 'apns') {
    const { 'apns-id': id = '', 'apns-collapse-id': collapseId = '' } = entry.headers;
    return { id, collapseId };
  }
  if (entry.provider === 'expo') {
    const { data, tag } = entry.body as ExpoBody;
    return { id: data.homing.push, collapseId: tag };
  }
  const { message } = entry.body as FcmBody;
  return { id: message.data.homing_id, collapseId: message.android.notification.tag };
}
