import { rateOf } from '../../domain/rate.ts';
import { requireSettings, type ProviderKind } from '../kind.ts';
import { OAUTH_REASONS } from './oauth-reasons.ts';
import { FCM_PAYLOAD_BYTES, measureFcmPayload } from './payload.ts';
import { createFcmProvider } from './provider.ts';
import { FCM_RATE } from './rate.ts';
import { REASONS } from './reasons.ts';
import { FCM_RETRY_POLICY } from './retry-policy.ts';
import { parseFcmSettings, type FcmEndpoints } from './settings.ts';

/** Service accounts of Firebase projects. */
export function fcmKind(endpoints: FcmEndpoints): ProviderKind {
  return {
    divide(input) {
      const parsed = parseFcmSettings(input, endpoints);
      if (parsed.kind === 'problems') return parsed;
      const { projectId: project, clientEmail, privateKeyId } = parsed.settings;
      // Beneath the sealed file of the same name: it tells people which key that is.
      const serviceAccount = { client_email: clientEmail, private_key_id: privateKeyId };
      const open = { project, environments: [], topics: [], settings: { serviceAccount } };
      return { kind: 'settings', settings: { ...open, secret: input } };
    },
    open(credential, surroundings) {
      const settings = requireSettings(
        credential,
        parseFcmSettings(credential.settings, endpoints),
      );
      const provider = createFcmProvider({ ...surroundings, settings, endpoints });
      const rate = rateOf(credential.rate, FCM_RATE);
      // Google counts by project, also where several apps have a key of it.
      const bucket = rate === null ? null : { name: `fcm/${settings.projectId}`, rate };
      return { name: 'fcm', provider, policy: FCM_RETRY_POLICY, bucket };
    },
    measure: (push) => ({ bytes: measureFcmPayload(push), most: FCM_PAYLOAD_BYTES }),
    reasons: { fcm: REASONS, 'google-oauth': OAUTH_REASONS },
  };
}
