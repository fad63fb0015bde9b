/** The function that a page calls, and before it has loaded the calls that wait for it. */
export interface CommandFunction {
  (...command: readonly unknown[]): void;
  /** Each the `arguments` of one call. */
  readonly q?: readonly Iterable<unknown>[];
}

export type Commands = Readonly<Record<string, (...parameters: never[]) => unknown>>;

/**
 * Puts the function that runs commands in place of the page's snippet, under the same name, and
 * runs what was called before. A command begins when the one before has ended; why one failed is
 * reported, and those after it run all the same.
 */
export function installCommands(
  page: object,
  name: string,
  commands: Commands,
  report: (error: unknown) => void,
): void {
  const globals = page as Record<string, CommandFunction | undefined>;
  const waiting = globals[name]?.q ?? [];
  let last: Promise<unknown> = Promise.resolve();
  const run: CommandFunction = (...call) => {
    last = last.then(() => runCommand(commands, call)).catch(report);
  };
  globals[name] = run;
  for (const call of waiting) run(...call);
}

function runCommand(commands: Commands, [first, ...parameters]: readonly unknown[]): unknown {
  const name = String(first);
  const command = commands[name];
  if (command === undefined) throw new Error(`no command "${name}"`);
  // The page's own script: whatever it passes is what it gets.
  return command(...(parameters as never[]));
}
