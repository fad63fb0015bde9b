import { createHash } from 'node:crypto';
import type { Entry } from '@homing/simulators';

const NAMES: Readonly<Record<string, string>> = {
  apns: 'APNs',
  fcm: 'FCM',
  expo: 'Expo',
  hms: 'HMS',
  webpush: 'Web Push',
};

/** A push that reached a simulated phone, as one line; null for anything else in the journal. */
export function renderArrival(entry: Entry): string | null {
  if (entry.token === null) return null;
  const phone = createHash('sha256').update(entry.token).digest('hex').slice(0, 8);
  const provider = NAMES[entry.provider] ?? entry.provider;
  if (!entry.accepted) {
    const why = entry.answer?.reason ?? 'no answer';
    return `${provider} refused a push to phone ${phone}: ${why}`;
  }
  return `${provider} showed on phone ${phone}: ${textOf(entry.body)}`;
}

function textOf(body: unknown): string {
  const found = ['title', 'body']
    .map((name) => findText(body, name))
    .filter((text) => text !== null);
  return found.length > 0 ? found.join(' — ') : 'a silent push';
}

/** Titles stand at different places in the payloads of different providers. */
function findText(value: unknown, name: string): string | null {
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, member] of Object.entries(value)) {
    if (key === name && typeof member === 'string') return member;
    const below = findText(member, name);
    if (below !== null) return below;
  }
  return null;
}
