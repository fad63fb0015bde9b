/** A row of a table, cell by cell, trimmed. */
export type TableRow = readonly string[];

/** The rows of the one table whose first column has this heading; null when there is none. */
export function readTable(markdown: string, firstHeading: string): readonly TableRow[] | null {
  const lines = markdown.split('\n');
  const header = lines.findIndex((line) => cells(line)?.[0] === firstHeading);
  if (header === -1) return null;
  const rows: TableRow[] = [];
  // The line below the headings is the rule between them and the rows.
  for (const line of lines.slice(header + 2)) {
    const row = cells(line);
    if (row === null) break;
    rows.push(row);
  }
  return rows;
}

/** What stands in backticks in a cell. */
export function codeNames(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
}

function cells(line: string): TableRow | null {
  const trimmed = line.trim();
  if (!trimmed.startsWith('|') || !trimmed.endsWith('|')) return null;
  return trimmed
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());
}
