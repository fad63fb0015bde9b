import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Why a test that needs Kotlin cannot run here, or false when it can; for a test's `skip`. */
export function kotlinIsMissing(): string | false {
  // All of these come with Debian's package.
  const missing = ['kotlinc', 'java', 'keytool'].filter((command) => !isOnPath(command));
  return missing.length > 0 && `${missing.join(', ')} not on PATH; Debian's package is "kotlin"`;
}

function isOnPath(command: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder, command)));
}
