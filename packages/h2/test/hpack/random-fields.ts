import type { SeededRandom } from '../../../../test/seeded-random.ts';
import type { HeaderField } from '../../src/hpack/header-field.ts';
import { STATIC_FIELDS } from '../../src/hpack/static-table.ts';

const NAME_CHARACTERS = Array.from("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~");
/** What HTTP allows within a value: visible ASCII, and the upper half of latin1. */
const VALUE_CHARACTERS = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter(
  (character) => /[!-~\u0080-\u00FF]/.test(character),
);
const REPEATED_NAMES = ['server', 'date', 'content-type', 'apns-id', 'x-one', 'x-two', 'x-three'];
const REPEATED_VALUES = ['nginx', 'application/json', '0', '', 'gzip, deflate', 'one', 'two'];

/** Lists of fields in which names and values come again, as they do on a connection. */
export function randomFields(random: SeededRandom, maxCount: number): readonly HeaderField[] {
  return Array.from({ length: random.below(maxCount + 1) }, () => ({
    name: randomName(random),
    value: randomValue(random),
  }));
}

function randomName(random: SeededRandom): string {
  const kind = random.below(4);
  if (kind === 0) return random.pick(STATIC_FIELDS.slice(14)).name;
  if (kind < 3) return random.pick(REPEATED_NAMES);
  return `x-${randomText(random, NAME_CHARACTERS, 20)}`;
}

function randomValue(random: SeededRandom): string {
  if (random.chance(0.5)) return random.pick(REPEATED_VALUES);
  const characters = random.chance(0.5) ? VALUE_CHARACTERS : VALUE_CHARACTERS.slice(0, 94);
  return randomText(random, characters, random.chance(0.05) ? 2000 : 80);
}

function randomText(random: SeededRandom, characters: readonly string[], below: number): string {
  return Array.from({ length: random.below(below) }, () => random.pick(characters)).join('');
}
