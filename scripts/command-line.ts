/** Whole numbers that a command was given as `--name N`. Anything else ends the process. */
export function numbersFrom<Name extends string>(
  args: readonly string[],
  names: readonly Name[],
): Partial<Record<Name, number>> {
  const numbers: Partial<Record<Name, number>> = {};
  for (let index = 0; index < args.length; index += 2) {
    const name = names.find((one) => args[index] === `--${one}`);
    const text = args[index + 1] ?? '';
    if (name === undefined || !/^\d{1,15}$/.test(text)) {
      console.error(`usage: ${names.map((one) => `[--${one} N]`).join(' ')}`);
      process.exit(2);
    }
    numbers[name] = Number(text);
  }
  return numbers;
}
