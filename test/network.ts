import { randomBytes } from 'node:crypto';
import {
  createApnsKey,
  createCertificateAuthority,
  createHmsApp,
  createJournal,
  createServiceAccount,
  startApnsSimulator,
  startExpoSimulator,
  startFcmSimulator,
  startHmsSimulator,
  startWebPushSimulator,
  type ApnsSimulator,
  type CertificateAuthority,
  type ExpoSimulator,
  type FcmSimulator,
  type HmsApp,
  type HmsSimulator,
  type Journal,
  type PersonalityName,
  type WebPushSimulator,
} from '@homing/simulators';
import {
  createApp,
  createLogger,
  provisionApp,
  type App,
  type Config,
  type NewAppRequest,
  type Overrides,
  type ProviderEndpoints,
  type ProvisionedApp,
} from '@homing/server';
import { BackEnd } from './back-end.ts';
import { createTestClock, type TestClock } from './clock.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { Device, type Route } from './device.ts';
import { createIssuer, type Issuer } from './issuer.ts';
import { startSecondServer, type SecondServer } from './second-server.ts';
import { countOpenWork } from '../packages/server/src/store/chunks.ts';

export const TOPIC = 'com.acme.shop';
export const PROJECT = 'acme-shop';
export const EXPO_PROJECT = '@acme/shop';
export const TEAM = 'ACMETEAM01';

export interface NetworkOptions {
  /** Default `required`: devices prove their users by assertions. */
  readonly identity?: NewAppRequest['identity'];
  readonly tls?: readonly string[];
  readonly role?: Config['role'];
  /** `name:port` of hosts on this machine that apps may name; default none. */
  readonly outboundHosts?: readonly string[];
  /** `name:port` of push services on this machine, beside the simulated ones; default none. */
  readonly webPushHosts?: readonly string[];
  /** Default `validating` would need every token made known; most tests take any. */
  readonly mode?: 'accept_all' | 'validating';
  /** Default: errors go to the standard output. */
  readonly logger?: ReturnType<typeof createLogger>;
  /** Default 1; with more, requests without a route go to the servers in turn. */
  readonly processes?: number;
  /** Default: a database of its own, which the network disposes; a given one is the caller's. */
  readonly database?: TestDatabase;
  /** Default: the wall clock, which tests can move. */
  readonly clock?: TestClock;
  /** What else to put in place of the server's own parts. */
  readonly overrides?: Omit<Overrides, 'clock' | 'logger'>;
}

/**
 * The real thing: PostgreSQL, server, simulators, and an app with credentials. The first server is
 * in the test's own process; further ones have theirs.
 */
export interface Network extends AsyncDisposable {
  /** Base URL of the API of the first server. */
  readonly url: string;
  /** The servers beside the first one. */
  readonly servers: readonly SecondServer[];
  readonly homing: App;
  readonly app: ProvisionedApp;
  readonly clock: TestClock;
  readonly database: TestDatabase;
  readonly authority: CertificateAuthority;
  readonly apns: ApnsSimulator;
  readonly sandbox: ApnsSimulator;
  readonly fcm: FcmSimulator;
  readonly hms: HmsSimulator;
  /** The app that the HMS simulator knows. */
  readonly hmsApp: HmsApp;
  /** The services of the browsers; they take any VAPID key, from apps that have one. */
  readonly webPush: WebPushSimulators;
  readonly expo: ExpoSimulator;
  /** What the simulators take, as `app` has it. */
  readonly credentials: NewAppRequest['credentials'];
  /** What all simulators received. */
  readonly journal: Journal;
  readonly issuer: Issuer;
  readonly backEnd: BackEnd;
  readonly config: Config;
  readonly masterKey: Buffer;
  /**
   * A phone with a fresh installation of the app; enrolments are limited by its address. Its
   * requests go to the servers in turn, unless its route says otherwise.
   */
  device(address?: string, route?: Route): Device;
  /** A back end that speaks to one server. */
  backEndAt(route: Route): BackEnd;
  /** Waits until no work is left, on any server, that could be done now. */
  drain(): Promise<void>;
  /** Another app on the same server. */
  provision(request?: Partial<NewAppRequest>): Promise<ProvisionedApp>;
}

export type WebPushSimulators = Readonly<Record<PersonalityName, WebPushSimulator>>;

/** Boots a network. Dispose it, or the test process does not end. */
export async function startNetwork(options: NetworkOptions = {}): Promise<Network> {
  await using stack = new AsyncDisposableStack();
  const clock = options.clock ?? createTestClock();
  const database = options.database ?? stack.use(await createTestDatabase());
  const simulators = await startSimulators(stack, clock, options);
  const { authority } = simulators;
  const issued = options.tls === undefined ? null : await authority.issue(options.tls);
  const tls = issued === null ? null : { key: issued.keyPem, cert: issued.certificatePem };
  const outbound = { hosts: options.outboundHosts ?? [], ca: authority.certificatePem };
  const config = testConfig(
    database.url,
    simulators.endpoints,
    options.role ?? 'all',
    tls,
    outbound,
  );
  const masterKey = randomBytes(32);
  const logger = options.logger ?? createLogger('error');
  const overrides = { ...options.overrides, clock: clock.now, logger };
  const homing = stack.use(createApp(config, { masterKey }, overrides));
  const url = await homing.start();
  const issuer = await createIssuer(clock.now);
  const provision = (request: Partial<NewAppRequest> = {}): Promise<ProvisionedApp> =>
    provisionApp(homing, {
      name: 'Acme Shop',
      environment: 'test',
      identity: options.identity ?? 'required',
      credentials: simulators.credentials,
      identityKeys: issuer.identityKeys,
      ...request,
    });
  const app = await provision();
  const base = url ?? '';
  const servers: SecondServer[] = [];
  for (let count = 1; count < (options.processes ?? 1); count += 1) {
    servers.push(stack.use(await startSecondServer({ config, masterKey, clock })));
  }
  const inTurn = takeTurns([() => base, ...servers.map((server) => () => server.url)]);
  const owned = stack.move();
  return {
    ...simulators,
    url: base,
    homing,
    app,
    clock,
    database,
    issuer,
    config,
    masterKey,
    provision,
    servers,
    backEnd: new BackEnd(inTurn, app.secretKey),
    backEndAt: (route) => new BackEnd(route, app.secretKey),
    device: (address, route) => new Device(route ?? inTurn, app, issuer, address),
    drain: () => drainAll(homing, servers),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function takeTurns(routes: readonly [Route, ...Route[]]): Route {
  let turn = 0;
  return () => {
    const route = routes[turn % routes.length] ?? routes[0];
    turn += 1;
    return route();
  };
}

/** Quiet looks in a row after which nothing moves between servers any more. */
const QUIET_LOOKS = 3;

/**
 * What one server gives up or makes, another may take up after it was found idle. So all are asked
 * until they find the same amount of open work several times; it may not be nothing, since what is
 * to be done later counts.
 */
async function drainAll(homing: App, servers: readonly SecondServer[]): Promise<void> {
  let before = Number.NaN;
  let quietLooks = 0;
  while (quietLooks < QUIET_LOOKS) {
    await Promise.all([homing.dispatcher?.drain(), ...servers.map((server) => server.drain())]);
    if (servers.length === 0) return;
    const open = await countOpenWork(homing.db);
    if (open === 0) return;
    quietLooks = open === before ? quietLooks + 1 : 1;
    before = open;
  }
}

/** The configuration of a server of this network; more servers can share its database. */
function testConfig(
  databaseUrl: string,
  providers: ProviderEndpoints,
  role: Config['role'],
  tls: Config['http']['tls'],
  outbound: Config['outbound'],
): Config {
  return {
    role,
    database: { url: databaseUrl, directUrl: databaseUrl, connections: 8 },
    http: { host: '127.0.0.1', port: 0, tls, trustedProxies: ['127.0.0.1'], workerPort: null },
    retention: { deliveryDays: 90 },
    outbound,
    logLevel: 'silent',
    providers,
  };
}

async function startSimulators(
  stack: AsyncDisposableStack,
  clock: TestClock,
  { mode = 'accept_all', webPushHosts = [] }: NetworkOptions,
) {
  const authority = await createCertificateAuthority();
  const tls = await authority.issue(['127.0.0.1', 'localhost']);
  const journal = stack.use(createJournal({ capacity: 100_000 }));
  const key = createApnsKey(TEAM);
  const time = (): number => clock.now().getTime();
  const clientCa = authority.certificatePem;
  const shared = { tls, clientCa, mode, clock: time, journal, keys: [key], topics: [TOPIC] };
  const apns = stack.use(await startApnsSimulator({ ...shared, environment: 'production' }));
  const sandbox = stack.use(await startApnsSimulator({ ...shared, environment: 'sandbox' }));
  const fcm = stack.use(await startFcmSimulator({ tls, mode, clock: time, journal, projects: [] }));
  const webPush = await startWebPushSimulators((personality) =>
    startWebPushSimulator({ personality, tls, mode, clock: time, journal }),
  );
  for (const simulator of Object.values(webPush)) stack.use(simulator);
  const expoOptions = { tls, mode, clock: time, journal, project: EXPO_PROJECT } as const;
  const expo = stack.use(await startExpoSimulator(expoOptions));
  const account = await createServiceAccount(PROJECT, fcm.tokenUrl);
  const { clientEmail, privateKeyId, publicKeyPem } = account;
  fcm.addProject({
    projectId: PROJECT,
    serviceAccounts: [{ clientEmail, privateKeyId, publicKeyPem }],
  });
  const hmsApp = createHmsApp();
  const hms = stack.use(
    await startHmsSimulator({ tls, mode, clock: time, journal, apps: [hmsApp] }),
  );
  const endpoints: ProviderEndpoints = {
    apns: apns.url,
    apnsSandbox: sandbox.url,
    fcm: fcm.url,
    googleToken: fcm.tokenUrl,
    hms: hms.url,
    hmsToken: hms.tokenUrl,
    webPushHosts: [...webPushHosts, ...Object.values(webPush).map(({ origin }) => hostOf(origin))],
    expo: expo.url,
    ca: authority.certificatePem,
  };
  const { teamId, keyId, privateKeyPem } = key;
  return {
    authority,
    journal,
    apns,
    sandbox,
    fcm,
    hms,
    hmsApp,
    webPush,
    expo,
    endpoints,
    credentials: {
      apns: { teamId, keyId, privateKeyPem, topics: [TOPIC], environment: 'both' },
      fcm: { serviceAccount: withoutTokenUri(account.json) },
      hms: { appId: hmsApp.appId, clientSecret: hmsApp.clientSecret },
      expo: { project: EXPO_PROJECT },
    },
  };
}

async function startWebPushSimulators(
  start: (personality: PersonalityName) => Promise<WebPushSimulator>,
): Promise<WebPushSimulators> {
  return {
    google: await start('google'),
    mozilla: await start('mozilla'),
    apple: await start('apple'),
    wns: await start('wns'),
  };
}

/** `name:port`, as the configuration has hosts. */
function hostOf(origin: string): string {
  return new URL(origin).host;
}

/** The token endpoint is the server's configuration; a key file that repeats it adds nothing. */
function withoutTokenUri(json: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(json).filter(([name]) => name !== 'token_uri'));
}
