import assert from 'node:assert/strict';

/** A request as a guide prints it, and as much of its answer as matters. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON with placeholders, or null. */
  readonly body: string | null;
  readonly answer: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string | null;
  };
}

/**
 * Reads the text of an `http` block: the request, an empty line, its body if it has one, an empty
 * line, and the answer in the same form. Fails the test where it is not of that form.
 */
export function parseExchange(text: string): Exchange {
  const start = text.search(/^HTTP\/1\.1 /m);
  assert.notEqual(start, -1, `an exchange without its answer:\n${text}`);
  const request = parseMessage(text.slice(0, start));
  const answer = parseMessage(text.slice(start));
  const [method = '', path = ''] = request.first.split(' ');
  assert.match(method, /^[A-Z]+$/, `not a request: ${request.first}`);
  assert.match(path, /^\//, `not a request: ${request.first}`);
  const status = Number(answer.first.split(' ')[1]);
  assert.ok(Number.isInteger(status), `not an answer: ${answer.first}`);
  const { headers, body } = request;
  return { method, path, headers, body, answer: { ...answer, status } };
}

function parseMessage(text: string): {
  readonly first: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
} {
  const [head = '', ...rest] = text.trim().split('\n\n');
  const [first = '', ...lines] = head.split('\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const [name = '', value = ''] = line.split(/:\s*(.*)/s);
      assert.ok(value !== '', `not a header: ${line}`);
      return [name.toLowerCase(), value];
    }),
  );
  const body = rest.join('\n\n');
  return { first, headers, body: body === '' ? null : body };
}
