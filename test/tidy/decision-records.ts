import { posix } from 'node:path';
import type { SourceFile } from './source-file.ts';
import type { Violation } from './violation.ts';

const FOLDER = 'docs/adr/';
const INDEX = `${FOLDER}README.md`;

/** Decision records count from 0001 without a gap, say their number, and are in the index. */
export function decisionRecordViolations(files: readonly SourceFile[]): readonly Violation[] {
  const records = files.filter(({ path }) => path.startsWith(FOLDER) && path !== INDEX);
  const index = files.find(({ path }) => path === INDEX)?.text ?? '';
  return records.flatMap(({ path, text }, position) => {
    const name = posix.basename(path);
    const number = String(position + 1).padStart(4, '0');
    const rules: string[] = [];
    if (!name.startsWith(`${number}-`)) rules.push(`the next record has the number ${number}`);
    if (!text.startsWith(`# ${name.slice(0, 4)}: `)) rules.push('a record begins with its number');
    if (!index.includes(`](${name})`)) rules.push(`${INDEX} does not link to this record`);
    return rules.map((rule) => ({ path, line: 0, rule }));
  });
}
