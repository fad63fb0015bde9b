import type { AccessRefusal } from '../registry/access-check.ts';
import { ApiError, notFound } from './api-error.ts';

/** The answer to a caller that may not touch an installation. */
export function refusalError(refusal: AccessRefusal): ApiError {
  switch (refusal) {
    case 'wrong_secret':
      // Whoever's key is at fault must not give up an installation that is as good as ever.
      return new ApiError('invalid_credentials', 'the installation secret does not fit this id', {
        members: { credential: 'installation_secret' },
      });
    case 'not_found':
      return notFound('installation');
    case 'user_mismatch':
      return new ApiError(
        'user_mismatch',
        'another user is signed in on this device, and the token is not the one that it holds',
      );
    case 'removed':
      return new ApiError(
        'installation_removed',
        'the installation was removed; enrol under a new id',
      );
  }
}

/** The answer to a sequence that came with another content before. */
export function forkedError(): ApiError {
  return new ApiError(
    'installation_forked',
    'another copy sent this seq with other content, or its token in turn; enrol under a new id',
  );
}
