import { posix } from 'node:path';
import { lineAt, type SourceFile } from './source-file.ts';
import type { Violation } from './violation.ts';

/** `[text](target)`, and the target without a title. */
const LINK = /\]\(([^)\s]+)\)/g;
const ELSEWHERE = /^(?:[a-z]+:|\/)/;

/**
 * Links between the documents of the project lead to a file that is there, and to a heading that it
 * has. `exists` tells of any path, from the root, whether a file or a folder is there.
 */
export function linkViolations(
  files: readonly SourceFile[],
  exists: (path: string) => boolean,
): readonly Violation[] {
  const documents = files.filter(({ path }) => path.endsWith('.md'));
  const headings = new Map(documents.map((file) => [file.path, anchorsOf(file.text)]));
  return documents.flatMap(({ path, text }) => {
    const prose = withoutCode(text);
    return [...prose.matchAll(LINK)].flatMap((match) => {
      const [, target = ''] = match;
      if (ELSEWHERE.test(target)) return [];
      const rule = linkProblem(path, target, headings, exists);
      return rule === null ? [] : [{ path, line: lineAt(prose, match.index), rule }];
    });
  });
}

function linkProblem(
  from: string,
  target: string,
  headings: ReadonlyMap<string, ReadonlySet<string>>,
  exists: (path: string) => boolean,
): string | null {
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? from : posix.normalize(posix.join(posix.dirname(from), file));
  if (!exists(path)) return `a link leads nowhere: ${target}`;
  if (anchor === undefined || headings.get(path)?.has(anchor) === true) return null;
  return `a link leads to a heading that is not there: ${target}`;
}

/** What a heading is called in an address: lower case, without punctuation, words joined by `-`. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = withoutCode(text).matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(/\s/g, '-'),
    ),
  );
}

/** Code may hold what only looks like a link; its lines stay, so that line numbers are right. */
function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, (block) => block.replaceAll(/[^\n]/g, ''));
}
