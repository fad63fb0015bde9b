import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { APNS_SENTINELS } from './apns/sentinel-tokens.ts';
import type { ApnsSimulator } from './apns/simulator.ts';
import { EXPO_SENTINELS } from './expo/sentinel-tokens.ts';
import type { ExpoSimulator } from './expo/simulator.ts';
import { FCM_SENTINELS } from './fcm/sentinel-tokens.ts';
import type { FcmSimulator } from './fcm/simulator.ts';
import { HMS_SENTINELS } from './hms/sentinel-tokens.ts';
import type { HmsSimulator } from './hms/simulator.ts';
import { readScheduledFault } from './fault-input.ts';
import {
  chooseSimulator,
  chooseSimulators,
  readDeviceChange,
  readJournalQuery,
} from './inspection-input.ts';
import type { Simulator } from './inspection-input.ts';
import type { Journal } from './journal.ts';
import type { Sentinel } from './sentinel-tokens.ts';
import { isRecord } from './variant.ts';
import type { Parsed } from './variant.ts';
import { WEB_PUSH_SENTINELS } from './webpush/sentinel-tokens.ts';
import type { WebPushSimulator } from './webpush/simulator.ts';
import { readWantedSubscription } from './webpush/subscription-input.ts';
import { createUserAgent } from './webpush/user-agent.ts';

export interface InspectionOptions {
  readonly host?: string;
  readonly port?: number;
  readonly apns: readonly ApnsSimulator[];
  readonly fcm: FcmSimulator | null;
  /** Default: none. */
  readonly hms?: HmsSimulator | null;
  readonly webpush?: readonly WebPushSimulator[];
  readonly expo?: ExpoSimulator | null;
}

export interface Inspection extends AsyncDisposable {
  readonly url: string;
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

interface Call {
  readonly method: string;
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  /** Undefined when there is none or when it is not JSON. */
  readonly body: unknown;
}

const MAX_BODY_BYTES = 64 * 1024;
const FAULT_FIELDS: ReadonlySet<string> = new Set([
  'provider',
  'environment',
  'personality',
  'times',
  'every',
  'match',
  'fault',
]);

/**
 * Starts the window into running simulators: plain HTTP and JSON, for people, for tests in other
 * processes and for the development console. It knows no authentication, so it belongs on
 * loopback. All simulators must share one journal, so that `after` is one cursor through it.
 */
export async function startInspection(options: InspectionOptions): Promise<Inspection> {
  const { apns, fcm, hms = null, webpush = [], expo = null } = options;
  const simulators = [...apns, fcm, hms, ...webpush, expo].filter((one) => one !== null);
  const [journal, ...others] = new Set(simulators.map((simulator) => simulator.journal));
  assert(journal !== undefined && others.length === 0, 'Inspected simulators share one journal.');
  const server = createServer((request, response) => {
    void serve(request, response, simulators, journal);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
  await promise;
  return { url: urlOf(server), [Symbol.asyncDispose]: () => close(server) };
}

function urlOf(server: Server): string {
  const address = server.address();
  assert(address !== null && typeof address === 'object');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}

function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  return promise;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  simulators: readonly Simulator[],
  journal: Journal,
): Promise<void> {
  const call = await readCall(request);
  const reply =
    call === null ? notOk(413, 'body', 'is too large') : route(call, simulators, journal);
  if (response.destroyed) return;
  response.writeHead(reply.status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(`${JSON.stringify(reply.body, null, 2)}\n`);
}

async function readCall(request: IncomingMessage): Promise<Call | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request) {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) return null;
      chunks.push(chunk);
    }
  } catch {
    // The caller hung up; whoever answers will find the response destroyed.
    return null;
  }
  const url = new URL(request.url ?? '/', 'http://inspection');
  return {
    method: request.method ?? '',
    path: url.pathname
      .split('/')
      .filter((part) => part !== '')
      .map(decode),
    query: url.searchParams,
    body: parseJson(Buffer.concat(chunks).toString('utf8')),
  };
}

function route(call: Call, simulators: readonly Simulator[], journal: Journal): Reply {
  const { method, path } = call;
  const [first, provider, token, ...rest] = path;
  const isDevice = first === 'devices' && token !== undefined && rest.length === 0;
  const operation = isDevice ? `${method} /devices` : `${method} /${path.join('/')}`;
  switch (operation) {
    case 'GET /':
      return overview(simulators, journal);
    case 'GET /journal':
      return showJournal(call.query, journal);
    case 'POST /subscriptions':
      return subscribe(call.body, simulators);
    case 'POST /faults':
      return scheduleFault(call.body, simulators);
    case 'DELETE /faults':
      for (const simulator of simulators) simulator.faults.clear();
      return { status: 200, body: { cleared: simulators.length } };
    case 'GET /devices':
    case 'PUT /devices': {
      const environment = call.query.get('environment');
      const chosen = chooseSimulator(simulators, { provider, environment, token });
      if (!chosen.ok) return badInput(chosen);
      const simulator = chosen.value;
      return method === 'GET'
        ? showDevice(simulator, token ?? '')
        : changeDevice(simulator, token ?? '', call.body);
    }
    default:
      return notOk(404, 'path', `has nothing for ${operation}`);
  }
}

function overview(simulators: readonly Simulator[], journal: Journal): Reply {
  return {
    status: 200,
    body: {
      simulators: simulators.map((simulator) => ({
        provider: simulator.provider,
        environment: 'environment' in simulator ? simulator.environment : null,
        ...(simulator.provider === 'webpush' ? { personality: simulator.personality } : {}),
        url: simulator.url,
        connections: simulator.connections.length,
        pendingFaults: simulator.faults.pending,
        knobs: simulator.knobs,
      })),
      journal: journal.counters,
      sentinelTokens: {
        apns: meanings(APNS_SENTINELS),
        fcm: meanings(FCM_SENTINELS),
        hms: meanings(HMS_SENTINELS),
        webpush: meanings(WEB_PUSH_SENTINELS),
        expo: meanings(EXPO_SENTINELS),
      },
      routes: [
        'GET /',
        'GET /journal?provider=&token=&after=&limit=',
        'GET /devices/{provider}/{token}?environment=',
        'PUT /devices/{provider}/{token}?environment=',
        'POST /subscriptions',
        'POST /faults',
        'DELETE /faults',
      ],
    },
  };
}

function meanings(table: readonly Pick<Sentinel<unknown>, 'prefix' | 'meaning'>[]) {
  return Object.fromEntries(table.map(({ prefix, meaning }) => [prefix, meaning]));
}

function showJournal(query: URLSearchParams, journal: Journal): Reply {
  const filter = readJournalQuery(query);
  if (!filter.ok) return badInput(filter);
  const entries = journal.entries(filter.value);
  const after = entries.at(-1)?.sequence ?? filter.value.after ?? 0;
  return { status: 200, body: { entries, after } };
}

function showDevice(simulator: Simulator, token: string): Reply {
  const { devices } = simulator;
  return { status: 200, body: { token, state: devices.get(token), ...devices.view(token) } };
}

function changeDevice(simulator: Simulator, token: string, body: unknown): Reply {
  const change = readDeviceChange(simulator, body);
  if (!change.ok) return badInput(change);
  change.value(token);
  return showDevice(simulator, token);
}

function scheduleFault(body: unknown, simulators: readonly Simulator[]): Reply {
  if (!isRecord(body)) return notOk(400, 'body', 'must be a JSON object');
  const stranger = Object.keys(body).find((name) => !FAULT_FIELDS.has(name));
  if (stranger !== undefined) return notOk(400, stranger, 'is not a field');
  const chosen = chooseSimulators(simulators, body);
  if (!chosen.ok) return badInput(chosen);
  const scheduled = readScheduledFault(body);
  if (!scheduled.ok) return badInput(scheduled);
  for (const simulator of chosen.value) simulator.faults.schedule(scheduled.value);
  return { status: 201, body: { scheduled: scheduled.value, simulators: chosen.value.length } };
}

/** A browser that lives here and opens what it gets; the answer is what its page would send on. */
function subscribe(body: unknown, simulators: readonly Simulator[]): Reply {
  const wanted = readWantedSubscription(body);
  if (!wanted.ok) return badInput(wanted);
  const { personality, applicationServerKey, sentinel } = wanted.value;
  const simulator = simulators.find(
    (candidate) => candidate.provider === 'webpush' && candidate.personality === personality,
  );
  if (simulator?.provider !== 'webpush') {
    return notOk(400, 'personality', 'is not simulated here');
  }
  const userAgent = createUserAgent();
  return { status: 201, body: userAgent.subscribe(simulator, applicationServerKey, sentinel) };
}

function badInput(wrong: Extract<Parsed<unknown>, { ok: false }>): Reply {
  return notOk(400, wrong.field, wrong.problem);
}

function notOk(status: number, field: string, problem: string): Reply {
  return { status, body: { error: { field, message: `${field} ${problem}.` } } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A stray percent sign is taken literally rather than refused. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
