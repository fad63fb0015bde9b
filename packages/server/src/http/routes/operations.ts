import type { HttpServer } from '../server.ts';

/** What the operations routes ask about the process. */
export interface ProcessHealth {
  /** Null when the process can serve, otherwise why not. */
  notReady(): Promise<string | null>;
  /** Prometheus text format. */
  metrics(): Promise<string>;
  readonly version: string;
}

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

/** `/livez`, `/readyz`, `/metrics`, `/version`. */
export function operations(server: HttpServer, health: ProcessHealth): void {
  const schema = { tags: ['operations'] };
  server.get(
    '/livez',
    { schema: { ...schema, summary: 'Whether the process lives' } },
    async () => ({ status: 'live' }),
  );
  server.get(
    '/readyz',
    { schema: { ...schema, summary: 'Whether the process can serve' } },
    async (_request, reply) => {
      const reason = await health.notReady();
      if (reason === null) return { status: 'ready' };
      return reply.code(503).header('Retry-After', '2').send({ status: 'not_ready', reason });
    },
  );
  server.get(
    '/metrics',
    { schema: { ...schema, summary: 'Prometheus metrics' } },
    async (_request, reply) => reply.type(PROMETHEUS).send(await health.metrics()),
  );
  server.get('/version', { schema: { ...schema, summary: 'The version that runs' } }, async () => ({
    version: health.version,
  }));
}
