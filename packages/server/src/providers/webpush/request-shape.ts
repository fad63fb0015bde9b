import { RequestShape } from '@homing/h2';
import type { Urgency } from './payload.ts';

/** Whether Microsoft may keep a message; null for all others, who know nothing of it. */
export type CachePolicy = 'cache' | 'no-cache' | null;

/** The fields that differ from push to push, in the order of a request's values. */
const VARYING = ['ttl', 'topic'] as const;

/** A dozen at most. */
const shapes = new Map<string, RequestShape>();

/** What requests of one urgency have in common (RFC 8030 section 5, RFC 8291 section 4). */
export function shapeOf(urgency: Urgency, cachePolicy: CachePolicy): RequestShape {
  const key = `${urgency} ${cachePolicy}`;
  const known = shapes.get(key);
  if (known !== undefined) return known;
  const constants = {
    'content-type': 'application/octet-stream',
    'content-encoding': 'aes128gcm',
    urgency,
    ...(cachePolicy !== null && { 'x-wns-cache-policy': cachePolicy }),
  };
  const shape = new RequestShape({ constants, varying: VARYING });
  shapes.set(key, shape);
  return shape;
}
