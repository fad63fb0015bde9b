/**
 * The key of `available` that serves a device's locale best: the same, then ever shorter prefixes
 * (`de-CH` → `de`), case-insensitively (RFC 4647 section 3.4, Lookup). Null when none does.
 */
export function bestLocale(wanted: string | null, available: readonly string[]): string | null {
  if (wanted === null) return null;
  const byName = new Map(available.map((name) => [name.toLowerCase(), name]));
  const parts = wanted.toLowerCase().replaceAll('_', '-').split('-');
  for (let length = parts.length; length > 0; length -= 1) {
    const found = byName.get(parts.slice(0, length).join('-'));
    if (found !== undefined) return found;
  }
  return null;
}
