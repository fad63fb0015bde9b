import { findBinaries, type Binaries, type BinariesRequest } from '../src/binaries.ts';
import { LocalPostgresError } from '../src/error.ts';

/** What a process that only looks for PostgreSQL's programs tells the test that forked it. */
export type FinderReport = Binaries | { readonly code: string; readonly message: string };

const request = JSON.parse(process.argv[2] ?? '') as BinariesRequest;
try {
  process.send?.(await findBinaries(request));
} catch (error) {
  if (!(error instanceof LocalPostgresError)) throw error;
  process.send?.({ code: error.code, message: error.message });
}
process.disconnect();
