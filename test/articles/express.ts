import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import postgres from 'postgres';
import { runBlock } from './run-block.ts';

const EXPRESS_UPSERT = 7;

/** The article's table in words that PostgreSQL takes: its own has MySQL's inline indexes. */
const TABLE = `create table push_tokens (
  id serial primary key, user_id varchar(255) not null, token text not null,
  platform varchar(10) not null, device_id varchar(255) unique not null,
  created_at timestamp default now(), updated_at timestamp default now())`;

interface ExpressRequest {
  readonly body: unknown;
}
interface ExpressResponse {
  status(code: number): ExpressResponse;
  json(body: unknown): void;
}
type Handler = (request: ExpressRequest, response: ExpressResponse) => Promise<void>;

/** The article's back end: as much of Express as its route uses, on a table of its own. */
export interface ArticleBackEnd extends AsyncDisposable {
  readonly url: string;
  /** Who owns a device by the article's table. */
  ownerOf(deviceId: string): Promise<string | null>;
}

export async function startArticleBackEnd(databaseUrl: string): Promise<ArticleBackEnd> {
  await using stack = new AsyncDisposableStack();
  const sql = stack.adopt(postgres(databaseUrl, { max: 1 }), (open) => open.end({ timeout: 5 }));
  await sql.unsafe(TABLE);
  const handler = readHandler(sql);
  const server = createServer((request, response) => void serve(handler, request, response));
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  stack.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  const owned = stack.move();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async ownerOf(deviceId) {
      const [row] = await sql<{ user_id: string }[]>`
        select user_id from push_tokens where device_id = ${deviceId}`;
      return row?.user_id ?? null;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Runs the block, which registers its one route with what it takes for Express. */
function readHandler(sql: postgres.Sql): Handler {
  const handlers: Handler[] = [];
  Object.assign(globalThis, {
    app: {
      post: (_path: string, _middleware: unknown, handler: Handler) => handlers.push(handler),
    },
    authenticateUser: null,
    db: { query: (text: string, values: never[]) => sql.unsafe(text, values) },
  });
  runBlock(EXPRESS_UPSERT);
  const [handler] = handlers;
  if (handler === undefined) throw new Error('The block has registered no route.');
  return handler;
}

async function serve(
  handler: Handler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const response: ExpressResponse = {
    status(code) {
      outgoing.statusCode = code;
      return response;
    },
    json(body) {
      outgoing.setHeader('content-type', 'application/json; charset=utf-8');
      outgoing.end(JSON.stringify(body));
    },
  };
  await handler({ body: await json(incoming) }, response);
}
