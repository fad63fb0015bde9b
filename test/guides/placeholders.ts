import assert from 'node:assert/strict';

/** A name in braces: what a guide leaves to the reader, and the test fills in. */
const PLACEHOLDER = /\{([a-z_]+)\}/g;

/** What the placeholders of one guide stand for; answers give values to those that are new. */
export class Placeholders {
  readonly #values: Map<string, string>;

  constructor(values: Readonly<Record<string, string>>) {
    this.#values = new Map(Object.entries(values));
  }

  /** Fails the test for a placeholder that stands for nothing yet. */
  fill(text: string): string {
    return text.replaceAll(PLACEHOLDER, (whole, name: string) => {
      const value = this.#values.get(name);
      assert.ok(value !== undefined, `nothing is known for ${whole}`);
      return value;
    });
  }

  set(name: string, value: string): void {
    this.#values.set(name, value);
  }

  /** Fails the test unless everything that is expected is there; what is there beside it may be. */
  match(expected: unknown, actual: unknown, at: string): void {
    if (Array.isArray(expected)) {
      assert.ok(Array.isArray(actual), `${at} is no list: ${JSON.stringify(actual)}`);
      assert.equal(actual.length, expected.length, at);
      for (const [index, item] of expected.entries()) {
        this.match(item, actual[index], `${at}/${index}`);
      }
    } else if (typeof expected === 'object' && expected !== null) {
      assert.ok(typeof actual === 'object' && actual !== null, `${at} is ${String(actual)}`);
      for (const [name, member] of Object.entries(expected)) {
        this.match(member, (actual as Readonly<Record<string, unknown>>)[name], `${at}/${name}`);
      }
      // `{}` says that there is nothing.
      if (Object.keys(expected).length === 0) assert.deepEqual(actual, {}, at);
    } else {
      this.#matchValue(expected, actual, at);
    }
  }

  #matchValue(expected: unknown, actual: unknown, at: string): void {
    const name = typeof expected === 'string' ? /^\{([a-z_]+)\}$/.exec(expected)?.[1] : undefined;
    if (name === undefined || this.#values.has(name)) {
      assert.deepEqual(actual, name === undefined ? expected : this.#values.get(name), at);
      return;
    }
    assert.ok(typeof actual === 'string', `${at} is no text: ${JSON.stringify(actual)}`);
    this.#values.set(name, actual);
  }
}
