import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import * as protocol from '@homing/protocol';
import { request } from '../../../test/answer.ts';
import { startNetwork, type Network } from '../../../test/network.ts';
import { createHoming, type Homing } from '../src/index.ts';

/** Operations of the document that the SDK leaves out, each with the reason. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  'POST /register-token': 'for the code of apps; a back end has installations.put',
  'DELETE /delete-token': 'for the code of apps; a back end has installations.signOut',
  'GET /openapi.json': 'the contract itself, for programs that have no SDK',
  'GET /docs': 'a page for people',
  'GET /errors/{code}': 'a page for people',
  'GET /reasons/{source}/{status}/{code}': 'a page for people',
  'GET /livez': 'for whoever runs the server; needs no key',
  'GET /readyz': 'for whoever runs the server; needs no key',
  'GET /metrics': 'for whoever runs the server; needs no key',
  'GET /version': 'for whoever runs the server; needs no key',
};

/** Orders packets of a client; what a back end sends there is not looked at. */
const OF_CLIENTS = 'seq';

const [INSTALLATION, USER, TOPIC] = ['{installation_id}', '{user_id}', '{topic}'];
const [NOTIFICATION, CREDENTIAL] = ['{notification_id}', '{credential_id}'];
const RECEIPTS = { receipts: [] };
const SEND = { audience: { users: ['42'] }, content: {} };

/** Each method called once, with everything that it takes. */
const CALLS: Readonly<Record<string, (homing: Homing) => unknown>> = {
  'notifications.send': ({ notifications }) => notifications.send(SEND),
  'notifications.validate': ({ notifications }) => notifications.validate(SEND),
  'notifications.get': ({ notifications }) => notifications.get(NOTIFICATION),
  'notifications.deliveries': ({ notifications }) => notifications.deliveries(NOTIFICATION),
  'notifications.explain': ({ notifications }) => notifications.explain(NOTIFICATION, '42'),
  'notifications.cancel': ({ notifications }) => notifications.cancel(NOTIFICATION),
  'notifications.pause': ({ notifications }) => notifications.pause(NOTIFICATION),
  'notifications.resume': ({ notifications }) => notifications.resume(NOTIFICATION),
  'installations.put': ({ installations }) => installations.put(INSTALLATION, {}),
  'installations.get': ({ installations }) => installations.get(INSTALLATION),
  'installations.list': ({ installations }) => {
    const filter = { user_id: '42', token: 'a', platform: 'ios', status: 'active' };
    return installations.list({ ...filter, pageSize: 2 });
  },
  'installations.remove': ({ installations }) => installations.remove(INSTALLATION),
  'installations.signOut': ({ installations }) => installations.signOut(INSTALLATION),
  'installations.signOutUser': ({ installations }) => installations.signOutUser(INSTALLATION, USER),
  'installations.timeline': ({ installations }) => installations.timeline(INSTALLATION),
  'installations.setPreferences': ({ installations }) =>
    installations.setPreferences(INSTALLATION, {}),
  'installations.subscribe': ({ installations }) =>
    installations.subscribe(INSTALLATION, TOPIC, { scope: 'device' }),
  'installations.unsubscribe': ({ installations }) =>
    installations.unsubscribe(INSTALLATION, TOPIC),
  'installations.setPurposeToken': ({ installations }) =>
    installations.setPurposeToken(INSTALLATION, '{purpose}' as 'voip', { value: 'a' }),
  'installations.removePurposeToken': ({ installations }) =>
    installations.removePurposeToken(INSTALLATION, '{purpose}' as 'voip', { activityId: 'a' }),
  'installations.reportReceipts': ({ installations }) =>
    installations.reportReceipts(INSTALLATION, RECEIPTS),
  'users.get': ({ users }) => users.get(USER),
  'users.put': ({ users }) => users.put(USER, {}),
  'users.erase': ({ users }) => users.erase(USER),
  'users.revoke': ({ users }) => users.revoke(USER),
  'users.export': ({ users }) => users.export(USER),
  'users.timeline': ({ users }) => users.timeline(USER),
  'users.subscribe': ({ users }) => users.subscribe(USER, TOPIC),
  'users.unsubscribe': ({ users }) => users.unsubscribe(USER, TOPIC),
  'audiences.create': ({ audiences }) => audiences.create([{ user: '42' }]),
  'audiences.get': ({ audiences }) => audiences.get('{audience_id}'),
  'app.get': ({ app }) => app.get(),
  'app.update': ({ app }) => app.update({}, { dryRun: true }),
  'app.vapidKey': ({ app }) => app.vapidKey(),
  'credentials.list': ({ credentials }) => credentials.list({ pageSize: 2 }),
  'credentials.get': ({ credentials }) => credentials.get(CREDENTIAL),
  'credentials.add': ({ credentials }) => credentials.add({ provider: 'expo', settings: {} }),
  'credentials.update': ({ credentials }) => credentials.update(CREDENTIAL, {}),
  'credentials.retire': ({ credentials }) => credentials.retire(CREDENTIAL),
  'credentials.verify': ({ credentials }) => credentials.verify(CREDENTIAL),
  'credentials.verifyDraft': ({ credentials }) =>
    credentials.verifyDraft({ provider: 'expo', settings: {} }),
  'identityKeys.list': ({ identityKeys }) => identityKeys.list(),
  'identityKeys.add': ({ identityKeys }) => identityKeys.add({ kid: 'a', secret: 'b' }),
  'identityKeys.retire': ({ identityKeys }) => identityKeys.retire('{kid}'),
  'alerts.list': ({ alerts }) => alerts.list({ open: true, pageSize: 2 }),
  'alerts.close': ({ alerts }) => alerts.close('{alert_id}'),
  'reviews.list': ({ reviews }) => reviews.list(),
  'reviews.get': ({ reviews }) => reviews.get('{review_id}'),
  'reviews.create': ({ reviews }) => reviews.create(),
  'reviews.apply': ({ reviews }) => reviews.apply('{review_id}', { purge: 0 }),
  'reasons.list': ({ reasons }) => reasons.list({ provider: 'apns' }),
};

/** What a method takes and gives, by the names of the contract's types. */
interface Signature {
  /** Null for none. */
  readonly input: string | null;
  readonly output: string;
  /** Whether it is one of many. */
  readonly isList: boolean;
}

/** What is passed on as it comes, as bytes. */
const AS_BYTES: ReadonlyMap<string, string> = new Map([['users.export', 'UserExport']]);
const METHOD = /^  (\w+)\(([^;]*?)\): (Promise|AsyncGenerator)<([^;]*?),?\s*>;$/gm;
const INPUT = /\b(?:input|draft|approval|lines)\??: (?:Lines<)?(\w+)/;

/** The signatures that the resources declare, as they are written. */
async function declaredSignatures(): Promise<ReadonlyMap<string, Signature>> {
  const signatures = new Map<string, Signature>();
  const directory = new URL('../src/resources/', import.meta.url);
  for (const file of await readdir(directory)) {
    const resource = file.replace('.ts', '').replace(/-(\w)/, (_, letter) => letter.toUpperCase());
    const text = await readFile(new URL(file, directory), 'utf8');
    for (const [, name = '', parameters = '', kind, output = ''] of text.matchAll(METHOD)) {
      const input = INPUT.exec(parameters)?.[1] ?? null;
      const isList = kind === 'AsyncGenerator' || output.endsWith('[]');
      const element = output.replaceAll(/^readonly |\[\]$/g, '');
      signatures.set(`${resource}.${name}`, { input, output: element, isList });
    }
  }
  return signatures;
}

/** One operation, as the document shows it, or as a method sends it. */
interface Operation {
  readonly name: string;
  readonly query: readonly string[];
  /** The type of the body; null for none. */
  readonly body: string | null;
}

interface Schema {
  readonly properties?: { readonly data?: { readonly items?: unknown } };
}

interface SchemaMembers {
  readonly $id?: string;
  readonly $ref?: string;
  readonly const?: unknown;
  readonly patternProperties?: Readonly<Record<string, unknown>>;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface DocumentedOperation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

let network: Network;
before(async () => {
  network = await startNetwork({ role: 'api' });
});
after(() => network[Symbol.asyncDispose]());

async function document(): Promise<ReadonlyMap<string, DocumentedOperation>> {
  const { body } = await request(`${network.url}/openapi.json`);
  const paths = body['paths'] as unknown as Record<string, Record<string, DocumentedOperation>>;
  const all = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(
      ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
    ),
  );
  return new Map(all);
}

async function documentedOperations(): Promise<readonly Operation[]> {
  return Array.from(await document(), ([name, { parameters = [], requestBody }]) => ({
    name,
    query: parameters
      .filter((parameter) => parameter.in === 'query' && parameter.name !== OF_CLIENTS)
      .map((parameter) => parameter.name),
    body: requestBody === undefined ? null : (Object.keys(requestBody.content)[0] ?? null),
  }));
}

/** The schema of what is sent or answered; null for nothing. */
function schemaOf(content: Content | undefined): Schema | null {
  return Object.values(content ?? {})[0]?.schema ?? null;
}

/** The schema of a type of the contract. */
function schemaNamed(name: string): unknown {
  const schema = (protocol as Readonly<Record<string, unknown>>)[name];
  assert.ok(schema !== undefined, `${name} is no type of the contract`);
  return asDocumented(JSON.parse(JSON.stringify(schema)));
}

/** A document names no schemas, and has other words for references, constants and records. */
function asDocumented(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(asDocumented);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $id: _, $ref: name, const: only, patternProperties, ...rest } = schema as SchemaMembers;
  const [values] = Object.values(patternProperties ?? {});
  const members = {
    ...rest,
    ...(name !== undefined && { $ref: `#/components/schemas/${name}` }),
    ...(only !== undefined && { enum: [only] }),
    ...(values !== undefined && { additionalProperties: values }),
  };
  const documented = Object.entries(members).map(([name, value]) => [name, asDocumented(value)]);
  return Object.fromEntries(documented) as unknown;
}

/** What an operation answers; of a list that is no stream of lines, each element. */
function answerOf({ responses }: DocumentedOperation, isList: boolean): unknown {
  const good = Object.entries(responses).find(([status]) => status.startsWith('2'));
  const content = good?.[1].content ?? {};
  const schema = schemaOf(content);
  return isList && 'application/json' in content ? schema?.properties?.data?.items : schema;
}

/** What a method sends. Asks for the page after the first, so that `after` is seen, too. */
async function sentBy(call: (homing: Homing) => unknown): Promise<readonly Operation[]> {
  const sent: Operation[] = [];
  const homing = createHoming({
    baseUrl: network.url,
    secretKey: network.app.secretKey,
    fetch: async (url, { method, headers }) => {
      const { pathname, searchParams } = new URL(url);
      sent.push({
        name: `${method} ${decodeURIComponent(pathname)}`,
        query: [...searchParams.keys()],
        body: new Headers(headers).get('content-type'),
      });
      return Response.json({ data: [], page: { after: sent.length === 1 ? '1' : null } });
    },
  });
  const result = await call(homing);
  if (isAsyncIterable(result)) for await (const _ of result);
  return sent;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function sorted(operations: readonly Operation[]): readonly Operation[] {
  return operations
    .map((operation) => ({ ...operation, query: operation.query.toSorted() }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

test('a request names the version of the SDK', async () => {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { readonly version: string };
  const agents: (string | null)[] = [];
  const homing = createHoming({
    baseUrl: network.url,
    secretKey: network.app.secretKey,
    fetch: async (url, init) => {
      agents.push(new Headers(init.headers).get('user-agent'));
      return fetch(url, init);
    },
  });
  await homing.app.get();
  assert.deepEqual(agents, [`homing-node/${version}`]);
});

test('every method of the SDK is looked at here', () => {
  const homing = createHoming({ baseUrl: network.url, secretKey: network.app.secretKey });
  const methods = Object.entries(homing).flatMap(([resource, functions]) =>
    Object.keys(functions as object).map((name) => `${resource}.${name}`),
  );
  assert.deepEqual(Object.keys(CALLS).toSorted(), methods.toSorted());
});

test('each operation that a secret key may call has one method, and no method another', async () => {
  const documented = await documentedOperations();
  const names = new Set(documented.map(({ name }) => name));
  for (const name of Object.keys(LEFT_OUT)) assert.ok(names.has(name), `${name} is gone`);

  const sent: Operation[] = [];
  for (const call of Object.values(CALLS)) {
    const [first, ...rest] = await sentBy(call);
    assert.ok(first !== undefined);
    // Where a list goes on, the last request shows all that it can ask for.
    for (const one of rest) assert.equal(one.name, first.name);
    sent.push(rest.at(-1) ?? first);
  }
  const wanted = documented.filter(({ name }) => !Object.hasOwn(LEFT_OUT, name));
  assert.deepEqual(sorted(sent), sorted(wanted));
  assert.ok(sent.length >= 45);
});

test('what a method takes and gives has the types that the document says', async () => {
  const signatures = await declaredSignatures();
  assert.deepEqual([...signatures.keys()].toSorted(), Object.keys(CALLS).toSorted());
  const documented = await document();
  for (const [method, call] of Object.entries(CALLS)) {
    const [sent] = await sentBy(call);
    const operation = documented.get(sent?.name ?? '');
    const signature = signatures.get(method);
    assert.ok(operation !== undefined && signature !== undefined, method);
    const { input, output, isList } = signature;
    const takes = input === null ? null : schemaNamed(input);
    assert.deepEqual(schemaOf(operation.requestBody?.content), takes, `${method} takes ${input}`);
    const name = AS_BYTES.get(method) ?? output;
    const gives = name === 'void' ? null : schemaNamed(name);
    assert.deepEqual(answerOf(operation, isList), gives, `${method} gives ${name}`);
  }
});
