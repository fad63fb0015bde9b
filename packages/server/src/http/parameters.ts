import { Type } from 'typebox';
import { LIMITS } from '../domain/limits.ts';
import { isTopic, TOPIC_FORM } from '../domain/topic.ts';
import { parseTypedId } from '../domain/typed-id.ts';
import { parseUuid } from '../domain/uuid.ts';
import { parseUserId } from '../domain/user-id.ts';
import type { RegistryContext } from '../registry/caller.ts';
import { fieldError, notFound } from './api-error.ts';

export const InstallationPath = Type.Object({ installation_id: Type.String() });
export const UserPath = Type.Object({ user_id: Type.String() });
export const NotificationPath = Type.Object({ notification_id: Type.String() });
export const AudiencePath = Type.Object({ audience_id: Type.String() });
export const AlertPath = Type.Object({ alert_id: Type.String() });
export const CredentialPath = Type.Object({ credential_id: Type.String() });
export const ReviewPath = Type.Object({ review_id: Type.String() });
export const NoContent = Type.Null({ description: 'done; there is nothing to say' });
export const SeqQuery = Type.Object(
  { seq: Type.Optional(Type.Integer({ minimum: 0, maximum: LIMITS.sequence })) },
  { additionalProperties: false },
);

/** The canonical form of an installation id, from a path unless the pointer says otherwise. */
export function parseInstallationId(text: string, pointer = '/installation_id'): string {
  const id = text.length === 36 ? parseUuid(text) : null;
  if (id === null) throw fieldError(pointer, 'a UUID that the client makes and keeps');
  return id;
}

/** The UUID of a credential, from a path; what has not the form of one is nobody's. */
export function requireCredentialId(text: string): string {
  const id = parseTypedId('crd', text);
  if (id === null) throw notFound('credential');
  return id;
}

/**
 * The sequence of a write: a client has to send one, and of a back end arrival order counts, so
 * that what it sends is not looked at.
 */
export function requireSeq(
  { caller }: RegistryContext,
  seq: number | undefined,
  pointer: string,
): number | null {
  if (caller.kind !== 'client') return null;
  if (seq === undefined) {
    throw fieldError(pointer, 'required with a publishable key: a number that counts up');
  }
  return seq;
}

/** Where a list by reference goes on: what an answer called `page.after`. */
export function parseCursor(after: string): number {
  if (!/^\d{1,15}$/.test(after)) throw fieldError('/querystring/after', 'pass `page.after` on');
  return Number(after);
}

/** RFC 3339 has leap seconds, which JavaScript cannot hold. */
export function requireInstant(text: string, pointer: string): Date {
  const instant = new Date(text);
  if (Number.isNaN(instant.getTime())) throw fieldError(pointer, 'not a time that exists');
  return instant;
}

/** The name of a topic from a path. */
export function requireTopic(text: string): string {
  if (!isTopic(text)) throw fieldError('/topic', TOPIC_FORM);
  return text;
}

/** A user id, wherever it stands in a request. */
export function requireUserId(text: string, pointer: string): string {
  const id = parseUserId(text);
  if (id === null) {
    throw fieldError(
      pointer,
      'a user id is 1 to 255 characters and not blank, "null", "undefined", "0", "." or the like',
    );
  }
  return id;
}
