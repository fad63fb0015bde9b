type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * For how many seconds an answer is good by its own word (RFC 9111 sections 4.2 and 5.2.2): what
 * Cache-Control grants less the Age it came with, 0 when it may not be kept, null when it says
 * nothing.
 */
export function freshSecondsOf(headers: Headers): number | null {
  const control = textOf(headers['cache-control']).toLowerCase();
  if (/(?:^|[\s,])no-(?:store|cache)(?:$|[\s,=])/.test(control)) return 0;
  const granted = /(?:^|[\s,])max-age="?(\d{1,10})/.exec(control)?.[1];
  if (granted === undefined) return null;
  const age = /^\d{1,10}$/.exec(textOf(headers['age']).trim())?.[0] ?? '0';
  return Math.max(0, Number(granted) - Number(age));
}

function textOf(value: string | string[] | undefined): string {
  return [value ?? ''].flat().join(',');
}
