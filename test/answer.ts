/** An HTTP answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint's rule against `any` stands: tests narrow what they look at.
  readonly body: AnswerBody;
}

/** JSON of unknown shape that tests reach into; a missing member is undefined. */
export interface AnswerBody {
  readonly [member: string]: AnswerBody;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless it is text. */
  readonly body?: unknown;
}

/** One HTTP request over the real network; the answer's body is parsed when it is JSON. */
export async function request(url: string, options: RequestOptions = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = options;
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url, {
    method,
    headers: { ...(text !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(text !== undefined && { body: text }),
  });
  const received = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: parse(response.headers.get('content-type') ?? '', received),
  };
}

function parse(type: string, text: string): AnswerBody {
  if (type.includes('ndjson')) {
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line)) as unknown as AnswerBody;
  }
  return (type.includes('json') ? JSON.parse(text) : text) as AnswerBody;
}
