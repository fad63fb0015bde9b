import {
  createJournal,
  startApnsSimulator,
  startFcmSimulator,
  startInspection,
  type Entry,
  type Journal,
} from '@homing/simulators';
import type { ProviderEndpoints } from '@homing/server';
import { namingPort } from './failure.ts';
import { DEMO_PROJECT, DEMO_TOPIC, type SimulatorIdentity } from './simulator-identity.ts';

/** The simulators of APNs (both environments) and FCM, and the window into them. */
export interface SimulatorSet extends AsyncDisposable {
  readonly endpoints: ProviderEndpoints;
  readonly inspectionUrl: string;
  readonly journal: Journal;
}

export interface SimulatorSetOptions {
  readonly identity: SimulatorIdentity;
  readonly host: string;
  /** The first of four ports in a row: APNs, its sandbox, FCM, inspection. 0 takes free ones. */
  readonly firstPort: number;
  readonly onEntry: (entry: Entry) => void;
}

/** Starts the set; any well-formed token is live until something says otherwise. */
export async function startSimulatorSet(options: SimulatorSetOptions): Promise<SimulatorSet> {
  await using stack = new AsyncDisposableStack();
  const { identity, host, firstPort } = options;
  const tls = await identity.authority.issue([host, 'localhost']);
  const journal = stack.use(createJournal({ onEntry: options.onEntry }));
  const portOf = (index: number): number => (firstPort === 0 ? 0 : firstPort + index);
  const shared = { host, tls, journal, mode: 'accept_all' } as const;
  const apnsOptions = { ...shared, keys: [identity.apnsKey], topics: [DEMO_TOPIC] } as const;
  const startApns = (environment: 'production' | 'sandbox', index: number) =>
    namingPort(`the APNs simulator (${environment})`, portOf(index), '--simulator-port', () =>
      startApnsSimulator({ ...apnsOptions, environment, port: portOf(index) }),
    );
  const production = stack.use(await startApns('production', 0));
  const sandbox = stack.use(await startApns('sandbox', 1));
  const fcm = stack.use(
    await namingPort('the FCM simulator', portOf(2), '--simulator-port', () =>
      startFcmSimulator({ ...shared, port: portOf(2), projects: [fcmProject(identity)] }),
    ),
  );
  const apns = [production, sandbox];
  const inspection = stack.use(
    await namingPort('the inspection of the simulators', portOf(3), '--simulator-port', () =>
      startInspection({ host, port: portOf(3), apns, fcm }),
    ),
  );
  const owned = stack.move();
  return {
    journal,
    inspectionUrl: inspection.url,
    endpoints: {
      apns: production.url,
      apnsSandbox: sandbox.url,
      fcm: fcm.url,
      googleToken: fcm.tokenUrl,
      ca: identity.authority.certificatePem,
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function fcmProject(identity: SimulatorIdentity) {
  const { client_email: clientEmail, private_key_id: privateKeyId } = identity.serviceAccount;
  const publicKeyPem = identity.serviceAccountPublicKeyPem;
  return {
    projectId: DEMO_PROJECT,
    serviceAccounts: [{ clientEmail, privateKeyId, publicKeyPem }],
  };
}
