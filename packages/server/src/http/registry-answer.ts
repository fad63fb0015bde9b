import type { AccessRefusal } from '../registry/access-check.ts';
import { ApiError, notFound } from './api-error.ts';

/** The answer to a caller that may not touch an installation. */
export function refusalError(refusal: AccessRefusal): ApiError {
  switch (refusal) {
    case 'wrong_secret':
      return new ApiError('invalid_credentials', 'the installation secret does not fit this id');
    case 'not_found':
      return notFound('installation');
    case 'removed':
      return new ApiError(
        'installation_removed',
        'the installation was removed; enrol under a new id',
      );
  }
}
