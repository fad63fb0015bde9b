/** A place that breaks a rule of the project. */
export interface Violation {
  readonly path: string;
  /** From 1; 0 when the whole file is meant. */
  readonly line: number;
  /** The rule and what breaks it, as a sentence. */
  readonly rule: string;
}

/** All violations, one `path:line  rule` per line, in the order of the paths. */
export function violationList(violations: readonly Violation[]): string {
  return violations
    .map(({ path, line, rule }) => `${path}${line === 0 ? '' : `:${line}`}  ${rule}`)
    .toSorted()
    .join('\n');
}
