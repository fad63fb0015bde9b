import type { CredentialInput } from '@homing/protocol';
import type { NewProviderCredential } from '../credentials/add-credential.ts';
import type {
  CredentialInspection,
  CredentialParts,
} from '../credentials/credential-inspection.ts';
import type { CredentialPatch } from '../store/credential-cards.ts';
import { ApiError } from './api-error.ts';

type Draft = Pick<CredentialInput, 'provider' | 'settings'>;
type RateInput = CredentialInput['rate'];

/** A credential as it is sent; throws every field at fault at once, and repeats no value. */
export function parseCredential(
  inspection: CredentialInspection,
  input: CredentialInput,
): Omit<NewProviderCredential, 'appRef'> {
  const { provider, name = '', rate } = input;
  const { ratePerMinute = null, rampSeconds = null } = parseRate(rate);
  const parts = parseSettings(inspection, input);
  return { ...parts, provider, name, rate: { perMinute: ratePerMinute, rampSeconds } };
}

/** Settings that the provider's own rules take. */
export function parseSettings(
  inspection: CredentialInspection,
  { provider, settings }: Draft,
): CredentialParts {
  const inspected = inspection.check(provider, settings);
  switch (inspected.kind) {
    case 'settings':
      return inspected.settings;
    case 'problems': {
      const errors = inspected.problems.map(({ field, message }) => {
        return { pointer: pointerTo(field), code: 'invalid', detail: message };
      });
      const detail = errors.map((one) => `${one.pointer}: ${one.detail}`).join('; ');
      throw new ApiError('validation_failed', detail, { errors });
    }
  }
}

/** What is named of a rate. */
export function parseRate(
  rate: RateInput,
): Partial<Pick<CredentialPatch, 'ratePerMinute' | 'rampSeconds'>> {
  return {
    ...(rate?.per_minute !== undefined && { ratePerMinute: rate.per_minute }),
    ...(rate?.ramp_seconds !== undefined && { rampSeconds: rate.ramp_seconds }),
  };
}

/** `serviceAccount.private_key` below the settings, as RFC 6901 writes it. */
function pointerTo(field: string): string {
  const names = field === '' ? [] : field.split('.');
  const parts = names.map((name) => name.replaceAll('~', '~0').replaceAll('/', '~1'));
  return ['/settings', ...parts].join('/');
}
