import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import * as protocol from '@homing/protocol';
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify';
import { randomUUID } from 'node:crypto';
import { LIMITS } from '../domain/limits.ts';
import { parseJson } from '../domain/parse-json.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { ApiError } from './api-error.ts';
import { limitBodies } from './body-deadline.ts';
import { allowOrigins } from './cross-origin.ts';
import { renderError } from './render-error.ts';

/** The HTTP server as routes see it: types of parameters and bodies follow from their schemas. */
export type HttpServer = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export interface HttpServerOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly trustedProxies: readonly string[];
  readonly tls: { readonly key: string; readonly cert: string } | null;
  readonly isDraining: () => boolean;
}

const HEADER_TIMEOUT_MS = 10_000;
/** So long nothing may come, or go, on a connection. */
const SILENCE_MS = 30_000;

/** The server with everything that all routes share; routes are added by `addRoutes`. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const server = Fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: LIMITS.bodyBytes,
    requestTimeout: LIMITS.uploadMs,
    connectionTimeout: SILENCE_MS,
    http: { headersTimeout: HEADER_TIMEOUT_MS },
    trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
    genReqId: requestId,
    // A logger of its own costs each request some µs, and one in thousands logs anything.
    childLoggerFactory: (logger) => logger,
    routerOptions: { maxParamLength: 1_024 },
    // An address that cannot be decoded fails before any hook runs.
    frameworkErrors: (error, request, reply) => {
      void reply.header('X-Request-Id', request.id);
      renderError(error, request, reply);
    },
    forceCloseConnections: 'idle',
    // What comes over an open connection while the process drains is served like any other request.
    return503OnClosing: false,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: true } },
    ...(options.tls !== null && { https: { key: options.tls.key, cert: options.tls.cert } }),
  }).withTypeProvider<TypeBoxTypeProvider>() as unknown as HttpServer;
  addSchemas(server);
  addBodyParser(server);
  addQueryCoercion(server);
  server.setErrorHandler(renderError);
  server.setNotFoundHandler((request, reply) =>
    renderError(
      new ApiError('not_found', `there is no ${request.method} ${request.url.split('?')[0]}`),
      request,
      reply,
    ),
  );
  // Answers are built from our own types; a second schema-driven pass could only drop fields.
  server.setSerializerCompiler(() => (value) => JSON.stringify(value));
  // Hooks that wait for nothing call on: a promise for each of them costs every request some µs.
  server.addHook('onRequest', (request, reply, done) => {
    void reply.header('X-Request-Id', request.id);
    done();
  });
  // Decided with the answer: a request from before the stop would keep its connection open after
  // it.
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (options.isDraining()) void reply.header('Connection', 'close');
    done(null, payload);
  });
  server.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    options.metrics.requests.inc({ route, status: String(reply.statusCode) });
    done();
  });
  limitBodies(server);
  allowOrigins(server);
  return server;
}

const REQUEST_ID_SHAPE = /^[A-Za-z0-9_.-]{8,64}$/;

/** A caller's own request id is kept, so that both sides' logs can be joined. */
function requestId(request: { headers: Record<string, string | string[] | undefined> }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID_SHAPE.test(given) ? given : randomUUID();
}

/** Everything in the contract that has a name is shared by name. */
function addSchemas(server: HttpServer): void {
  for (const schema of Object.values(protocol)) {
    if (typeof schema === 'object' && schema !== null && '$id' in schema) server.addSchema(schema);
  }
}

function addBodyParser(server: HttpServer): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    (_request: FastifyRequest, body: Buffer, done) => {
      // Some clients send a JSON content type with no body, most of all on DELETE.
      if (body.length === 0) {
        done(null, undefined);
        return;
      }
      const parsed = parseJson(body, 'the body');
      if (parsed.kind === 'value') done(null, parsed.value);
      else done(new ApiError('invalid_request', parsed.detail), undefined);
    },
  );
}

/** Query strings are text; routes that declare one get its numbers as numbers. */
function addQueryCoercion(server: HttpServer): void {
  server.addHook('onRoute', (route) => {
    if (route.schema?.querystring === undefined) return;
    route.preValidation = [coerceNumbers, ...[route.preValidation ?? []].flat()];
  });
}

function coerceNumbers(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  const query = request.query as Record<string, unknown>;
  for (const name of ['seq', 'limit']) {
    const text = query[name];
    if (typeof text === 'string' && /^\d{1,15}$/.test(text)) query[name] = Number(text);
  }
  done();
}
