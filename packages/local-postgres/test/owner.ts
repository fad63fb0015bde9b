import { LocalPostgresError, startLocalPostgres, type LocalPostgresOptions } from '../src/index.ts';

/** What a process that tries to own a server tells the test that forked it. */
export type OwnerReport =
  | {
      readonly kind: 'owns';
      readonly url: string;
      readonly serverPid: number;
      readonly adopted: boolean;
    }
  | { readonly kind: 'failed'; readonly code: string; readonly ownerPid: number | null };

const options = JSON.parse(process.argv[2] ?? '') as LocalPostgresOptions;

function report(message: OwnerReport): void {
  process.send?.(message);
}

try {
  const server = await startLocalPostgres(options);
  process.once('message', () => {
    void server[Symbol.asyncDispose]().then(() => process.disconnect());
  });
  const { url, pid, adopted } = server;
  report({ kind: 'owns', url, serverPid: pid, adopted });
} catch (error) {
  if (!(error instanceof LocalPostgresError)) throw error;
  report({ kind: 'failed', code: error.code, ownerPid: error.ownerPid });
  process.disconnect();
}
