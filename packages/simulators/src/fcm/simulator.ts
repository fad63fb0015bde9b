import type { TlsIdentity } from '../certificate-authority.ts';
import type { Connection } from '../connection.ts';
import type { DeviceBook } from '../device-book.ts';
import { Faults } from '../faults.ts';
import { createJournal } from '../journal.ts';
import type { Journal } from '../journal.ts';
import { startListener } from '../listener.ts';
import { Reception } from '../reception.ts';
import type { FcmDeviceState } from './device-states.ts';
import type { FcmKnobs } from './knobs.ts';
import { FCM_TOKEN_PATH, FcmService } from './service.ts';
import type { FcmServiceOptions } from './service.ts';
import type { FcmProject } from './service-account.ts';

export interface FcmSimulatorOptions extends FcmServiceOptions {
  readonly host?: string;
  readonly port?: number;
  readonly tls: TlsIdentity;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  readonly journal?: Journal;
}

export interface FcmSimulator extends AsyncDisposable {
  readonly provider: 'fcm';
  readonly url: string;
  /** Where access tokens are had: the simulated counterpart of oauth2.googleapis.com/token. */
  readonly tokenUrl: string;
  /** By registration token or installation id. */
  readonly devices: DeviceBook<FcmDeviceState>;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly knobs: FcmKnobs;
  /** Living connections, oldest first. */
  readonly connections: readonly Connection[];
  /** Makes every access token invalid that has been issued so far. */
  revokeTokens(): void;
  /** Adds a project, or replaces the one of the same id, whose token URL had to be known first. */
  addProject(project: FcmProject): void;
}

// What Google's front ends usually announce.
const MAX_CONCURRENT_STREAMS = 100;

/** Starts a simulator of FCM and of its OAuth server, over HTTP/2 and HTTP/1.1 on one port. */
export async function startFcmSimulator(options: FcmSimulatorOptions): Promise<FcmSimulator> {
  const clock = options.clock ?? Date.now;
  const journal = options.journal ?? createJournal();
  const faults = new Faults();
  const service = new FcmService(options, clock);
  const reception = new Reception({ service, faults, journal, clock });
  const listener = await startListener({
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    tls: options.tls,
    clientCa: null,
    protocols: ['h2', 'http/1.1'],
    maxConcurrentStreams: MAX_CONCURRENT_STREAMS,
    onConnection: () => undefined,
    onExchange: (exchange) => void reception.receive(exchange),
  });
  const tokenUrl = listener.url + FCM_TOKEN_PATH;
  service.audiences.add(tokenUrl);
  return {
    provider: 'fcm',
    url: listener.url,
    tokenUrl,
    devices: service.devices,
    faults,
    journal,
    knobs: service.knobs,
    get connections() {
      return listener.connections;
    },
    revokeTokens: () => service.tokens.revokeAll(),
    addProject: (project) => service.addProject(project),
    async [Symbol.asyncDispose]() {
      reception.close();
      await listener[Symbol.asyncDispose]();
    },
  };
}
