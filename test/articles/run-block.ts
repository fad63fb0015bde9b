import { registerHooks } from 'node:module';
import { runInThisContext } from 'node:vm';
import { readBlock } from './article.ts';

const SCHEME = 'article:';
const MESSAGING = '@react-native-firebase/messaging';

let imports = 0;

/** The one import of the article's code finds the phone that is being held. */
const STAND_IN = 'export default globalThis.messaging;';

registerHooks({
  resolve(specifier, context, next) {
    const url = specifier === MESSAGING ? `${SCHEME}messaging?run=${imports}` : specifier;
    return url.startsWith(SCHEME) ? { url, shortCircuit: true } : next(specifier, context);
  },
  load(url, context, next) {
    if (!url.startsWith(SCHEME)) return next(url, context);
    return { format: 'module', source: sourceOf(new URL(url)), shortCircuit: true };
  },
});

function sourceOf(url: URL): string {
  if (url.pathname === 'messaging') return STAND_IN;
  const names = url.searchParams.get('export');
  const block = readBlock(Number(url.pathname));
  return names === null ? block : `${block}\nexport { ${names} };\n`;
}

/**
 * Runs a block as a module of its own, every time anew. The code stays as it is; what it declares
 * and the test wants to call is named in an export after it.
 */
export async function importBlock(
  number: number,
  exported: string | null = null,
): Promise<Readonly<Record<string, unknown>>> {
  imports += 1;
  const query = new URLSearchParams({
    run: String(imports),
    ...(exported && { export: exported }),
  });
  return (await import(`${SCHEME}${number}?${query.toString()}`)) as Readonly<
    Record<string, unknown>
  >;
}

/** Runs a block as a script: the functions it declares become global, as in the app's bundle. */
export function runBlock(number: number): void {
  runInThisContext(readBlock(number), { filename: `block-${number}.js` });
}

/** Calls a function that a block declared. */
export async function callDeclared(name: string, ...inputs: readonly unknown[]): Promise<unknown> {
  const declared: unknown = Reflect.get(globalThis, name);
  if (typeof declared !== 'function') throw new Error(`No block has declared ${name}().`);
  return Reflect.apply(declared, undefined, inputs) as unknown;
}
