/** A bound that a benchmark has to keep, and whether it did. */
export interface Reach {
  readonly what: string;
  readonly value: number;
  readonly bound: { readonly kind: 'at_least' | 'at_most'; readonly value: number };
}

export function atLeast(what: string, value: number, least: number): Reach {
  return { what, value, bound: { kind: 'at_least', value: least } };
}

export function atMost(what: string, value: number, most: number): Reach {
  return { what, value, bound: { kind: 'at_most', value: most } };
}

export function isMet({ value, bound }: Reach): boolean {
  return bound.kind === 'at_least' ? value >= bound.value : value <= bound.value;
}

/** One line for a person. */
export function reachLine(reach: Reach): string {
  const { what, value, bound } = reach;
  const sign = bound.kind === 'at_least' ? '>=' : '<=';
  const verdict = isMet(reach) ? 'met' : 'NOT MET';
  return `${what}: ${value.toFixed(2)} (${sign} ${bound.value}) ${verdict}`;
}

/** The form of `--json`. */
export function reachObject(reach: Reach): Readonly<Record<string, unknown>> {
  const { what, value, bound } = reach;
  return { what, value, [bound.kind]: bound.value, met: isMet(reach) };
}
