import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SCRIPTS = [
  ['homing.js', import.meta.resolve('@homing/client/homing.js')],
  ['worker.js', import.meta.resolve('@homing/client/worker.js')],
] as const;

/**
 * The built client for web pages, by file name. Empty in a clone where neither `npm start` nor `npm
 * run build` was run, so that the server answers 404 there.
 */
export function readClientScripts(): ReadonlyMap<string, Buffer> {
  const paths = SCRIPTS.map(([name, url]) => [name, fileURLToPath(url)] as const);
  return new Map(
    paths.flatMap(([name, path]) => (existsSync(path) ? [[name, readFileSync(path)]] : [])),
  );
}
