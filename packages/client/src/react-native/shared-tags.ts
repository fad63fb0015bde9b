import { addresseeTag } from '../core/addressee-tag.ts';
import { parseMemory } from '../core/memory.ts';
import type { Cryptography } from '../core/ports.ts';

/** Makes known who is signed in, by tags alone, before the memory itself says so. */
export type ShareTags = (text: string) => Promise<void>;

/**
 * Shares the addressee tags of whoever is signed in with the notification service extension of an
 * iPhone, which is a process of its own and sees nothing of the memory. `write` puts them where the
 * extension reads, such as the defaults of an app group; it is called when they change, with all of
 * them, and with none after a logout. What it throws keeps the change from being made.
 *
 * They are written before the memory: a process that dies in between hides what it might show.
 */
export function createTagSharing(
  cryptography: Cryptography,
  write: (tags: readonly string[]) => Promise<void>,
): ShareTags {
  // Most changes of the memory leave everybody signed in who was.
  let written: string | null = null;
  let writtenText: string | null = null;
  return async (text) => {
    if (text === writtenText) return;
    const tags = await tagsIn(text, cryptography);
    if (tags.join(' ') !== written) await write(tags);
    written = tags.join(' ');
    writtenText = text;
  };
}

async function tagsIn(text: string, cryptography: Cryptography): Promise<readonly string[]> {
  const memory = parseMemory(text);
  if (memory === null) return [];
  return Promise.all(memory.users.map(({ id }) => addresseeTag(cryptography, memory, id)));
}
