import { codeOnly, isCode, isComment, isScript, lineAt, type SourceFile } from './source-file.ts';
import type { Violation } from './violation.ts';

const MAX_FILE_LINES = 400;
const MAX_COLUMNS = 100;

/** A rule that a pattern can see: every match is a violation. */
interface PatternRule {
  readonly rule: string;
  readonly pattern: RegExp;
  readonly appliesTo: (file: SourceFile) => boolean;
  /** What is searched: the whole text, or code without comments and string contents. */
  readonly searches: 'text' | 'code';
}

/** Data may hold any text, and a lockfile's digests do. */
const isNotData = ({ path }: SourceFile): boolean => !path.endsWith('.json');

/** The patterns are written so that none matches its own source. */
const PATTERN_RULES: readonly PatternRule[] = [
  {
    rule: 'nothing is exported as default',
    pattern: /^export default\b|\bas default\b/gm,
    appliesTo: isScript,
    searches: 'code',
  },
  {
    rule: 'no enum: the sources run by having their types erased',
    pattern: /^\s*(?:export )?(?:declare )?(?:const )?enum \w/gm,
    appliesTo: isScript,
    searches: 'code',
  },
  {
    rule: 'work to do is in the issue tracker, not in the sources',
    pattern: /\b(?:TO[D]O|FIX[M]E|X[X]X)\b/g,
    appliesTo: isNotData,
    searches: 'text',
  },
  { rule: 'no any', pattern: /\bas any\b|<any>|: any\b/g, appliesTo: isScript, searches: 'code' },
  {
    rule: 'a type error is resolved, not ignored',
    pattern: /@ts-(?:ignore|nocheck)/g,
    appliesTo: isScript,
    searches: 'text',
  },
  {
    rule: 'a lint or format finding is resolved, not silenced',
    pattern: /\b(?:oxlint|eslint)-(?:disable|enable)|\b(?:oxfmt|prettier)-ignore\b/g,
    appliesTo: isScript,
    searches: 'text',
  },
  {
    rule: 'a path of one machine means nothing on another',
    pattern:
      /(?<![\w.*)])\/(?:work|tmp\/briefs)\/|\/tmp\/briefs\b|(?<!\w)\/(?:home|Users)\/[a-z]\w*\//g,
    appliesTo: isNotData,
    searches: 'text',
  },
];

/** Rules on what a file may contain. */
export function textViolations(file: SourceFile): readonly Violation[] {
  return [
    ...patternViolations(file),
    ...(isCode(file) ? sizeViolations(file) : []),
    ...(isScript(file) ? barrelViolations(file) : []),
  ];
}

function patternViolations(file: SourceFile): readonly Violation[] {
  return PATTERN_RULES.filter((rule) => rule.appliesTo(file)).flatMap((rule) => {
    const text = rule.searches === 'code' ? codeOnly(file) : file.text;
    return [...text.matchAll(rule.pattern)].map((match) => ({
      path: file.path,
      line: lineAt(text, match.index),
      rule: `${rule.rule}: ${match[0].trim()}`,
    }));
  });
}

function sizeViolations({ path, text }: SourceFile): readonly Violation[] {
  const lines = text.trimEnd().split('\n');
  // The formatter breaks code where it can; what it leaves longer is a string or a test's title.
  const long = lines.flatMap((line, index) =>
    columns(line) > MAX_COLUMNS && (isComment(line) || !isScript({ path, text }))
      ? [{ path, line: index + 1, rule: `at most ${MAX_COLUMNS} columns: ${columns(line)}` }]
      : [],
  );
  if (lines.length <= MAX_FILE_LINES) return long;
  const rule = `at most ${MAX_FILE_LINES} lines in a file: ${lines.length}`;
  return [...long, { path, line: 0, rule }];
}

/** Characters, not UTF-16 units: an emoji in a test is one column, as the formatter counts. */
function columns(line: string): number {
  return Array.from(line).length;
}

/** What a package shows; the client has an entry for each platform, so that none pays for all. */
const BARREL = /^packages\/(?:[^/]+\/src|client\/src\/[^/]+)\/index\.ts$/;

/** A re-export anywhere else hides where things are. */
function barrelViolations(file: SourceFile): readonly Violation[] {
  const { path } = file;
  if (BARREL.test(path)) return [];
  const code = codeOnly(file);
  const reexport = /^export (?:type )?(?:\*|\{[^}]*\}) from\b/gm;
  return [...code.matchAll(reexport)].map((match) => ({
    path,
    line: lineAt(code, match.index),
    rule: "only a package's index.ts exports again what another file exports",
  }));
}

/** Rules on the names of files and folders. */
export function nameViolations({ path }: SourceFile): readonly Violation[] {
  const vague = path
    .split('/')
    .find((name) => /^(?:utils?|helpers?|common|misc)(?:\.\w+)*$/.test(name));
  const rules: string[] = [];
  if (vague !== undefined) rules.push(`a name that says what is inside, not "${vague}"`);
  if (/(?:^|\/)index\.tsx?$/.test(path) && !BARREL.test(path)) {
    rules.push('one index.ts per package, in its src; of the client one per platform');
  }
  return rules.map((rule) => ({ path, line: 0, rule }));
}
