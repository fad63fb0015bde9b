import {
  createJournal,
  startApnsSimulator,
  startExpoSimulator,
  startFcmSimulator,
  startHmsSimulator,
  startInspection,
  startPushSocket,
  startWebPushSimulator,
  type ApnsSimulator,
  type Entry,
  type ExpoSimulator,
  type FcmSimulator,
  type HmsSimulator,
  type Journal,
  type PushSocket,
  type WebPushSimulator,
} from '@homing/simulators';
import type { ProviderEndpoints } from '@homing/server';
import { listenAt } from './failure.ts';
import {
  DEMO_EXPO_PROJECT,
  DEMO_PROJECT,
  DEMO_TOPIC,
  type SimulatorIdentity,
} from './simulator-identity.ts';

/** The simulators of all providers, APNs in both environments, and the window into them. */
export interface SimulatorSet extends AsyncDisposable {
  readonly endpoints: ProviderEndpoints;
  readonly inspectionUrl: string;
  readonly journal: Journal;
  readonly apns: ApnsSimulator;
  readonly apnsSandbox: ApnsSimulator;
  readonly fcm: FcmSimulator;
  readonly hms: HmsSimulator;
  readonly webPush: WebPushSimulator;
  /** Where a Firefox asks for what was pushed to it. */
  readonly pushSocket: PushSocket;
  readonly expo: ExpoSimulator;
}

export interface SimulatorSetOptions {
  readonly identity: SimulatorIdentity;
  readonly host: string;
  /**
   * The first of eight ports in a row: APNs, its sandbox, FCM, inspection, HMS, Web Push, its
   * WebSocket, Expo. 0 takes free ones.
   */
  readonly firstPort: number;
  readonly onEntry: (entry: Entry) => void;
}

/** How many ports in a row a set takes. */
export const SIMULATOR_PORTS = 8;

/** Starts the set; any well-formed token is live until something says otherwise. */
export async function startSimulatorSet(options: SimulatorSetOptions): Promise<SimulatorSet> {
  await using stack = new AsyncDisposableStack();
  const { identity, host } = options;
  const journal = stack.use(createJournal({ onEntry: options.onEntry }));
  const simulators = await startSimulators(stack, options, journal);
  const { apns, apnsSandbox, fcm, hms, webPush, expo } = simulators;
  const inspected = { apns: [apns, apnsSandbox], fcm, hms, webpush: [webPush], expo };
  const inspection = stack.use(
    await startAt(options, 3, 'the inspection of the simulators', (port) =>
      startInspection({ host, port, ...inspected }),
    ),
  );
  const pushSocket = stack.use(
    await startAt(options, 6, 'the WebSocket of the Web Push simulator', (port) =>
      startPushSocket({ host, port, simulator: webPush }),
    ),
  );
  const owned = stack.move();
  return {
    ...simulators,
    pushSocket,
    journal,
    inspectionUrl: inspection.url,
    endpoints: {
      apns: apns.url,
      apnsSandbox: apnsSandbox.url,
      fcm: fcm.url,
      googleToken: fcm.tokenUrl,
      hms: hms.url,
      hmsToken: hms.tokenUrl,
      webPushHosts: [new URL(webPush.origin).host],
      expo: expo.url,
      ca: identity.authority.certificatePem,
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startSimulators(
  stack: AsyncDisposableStack,
  options: SimulatorSetOptions,
  journal: Journal,
) {
  const { identity, host } = options;
  const tls = await identity.authority.issue([host, 'localhost']);
  const shared = { host, tls, journal, mode: 'accept_all' } as const;
  const keys = { keys: [identity.apnsKey], topics: [DEMO_TOPIC] } as const;
  const start = async <T extends AsyncDisposable>(
    index: number,
    what: string,
    startOne: (port: number) => Promise<T>,
  ): Promise<T> => stack.use(await startAt(options, index, what, startOne));
  return {
    apns: await start(0, 'the APNs simulator', (port) =>
      startApnsSimulator({ ...shared, ...keys, environment: 'production', port }),
    ),
    apnsSandbox: await start(1, 'the simulator of the APNs sandbox', (port) =>
      startApnsSimulator({ ...shared, ...keys, environment: 'sandbox', port }),
    ),
    fcm: await start(2, 'the FCM simulator', (port) =>
      startFcmSimulator({ ...shared, port, projects: [fcmProject(identity)] }),
    ),
    hms: await start(4, 'the HMS simulator', (port) =>
      startHmsSimulator({ ...shared, port, apps: [identity.hmsApp] }),
    ),
    webPush: await start(5, 'the Web Push simulator', (port) =>
      startWebPushSimulator({ ...shared, port, personality: 'mozilla' }),
    ),
    expo: await start(7, 'the Expo simulator', (port) =>
      startExpoSimulator({ ...shared, port, project: DEMO_EXPO_PROJECT }),
    ),
  };
}

/** Starts one of the set on its port in the row. */
function startAt<T>(
  { host, firstPort }: SimulatorSetOptions,
  index: number,
  what: string,
  start: (port: number) => Promise<T>,
): Promise<T> {
  const port = firstPort === 0 ? 0 : firstPort + index;
  const options = { hostOption: '--host', portOption: '--simulator-port' };
  return listenAt({ what, host, port, ...options }, () => start(port));
}

function fcmProject(identity: SimulatorIdentity) {
  const { client_email: clientEmail, private_key_id: privateKeyId } = identity.serviceAccount;
  const publicKeyPem = identity.serviceAccountPublicKeyPem;
  return {
    projectId: DEMO_PROJECT,
    serviceAccounts: [{ clientEmail, privateKeyId, publicKeyPem }],
  };
}
