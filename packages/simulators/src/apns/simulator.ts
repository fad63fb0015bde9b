import type { TlsIdentity } from '../certificate-authority.ts';
import type { Connection } from '../connection.ts';
import type { DeviceBook } from '../device-book.ts';
import { Faults } from '../faults.ts';
import { createJournal } from '../journal.ts';
import type { Environment, Journal } from '../journal.ts';
import { startListener } from '../listener.ts';
import { Reception } from '../reception.ts';
import type { ApnsDeviceState } from './device-states.ts';
import type { ApnsKnobs } from './knobs.ts';
import { ApnsService } from './service.ts';
import type { ApnsServiceOptions } from './service.ts';

export interface ApnsSimulatorOptions extends ApnsServiceOptions {
  readonly host?: string;
  readonly port?: number;
  readonly tls: TlsIdentity;
  /** PEM of the authority of push certificates; without it no client certificate is asked for. */
  readonly clientCa?: string;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  readonly journal?: Journal;
}

export interface ApnsSimulator extends AsyncDisposable {
  readonly provider: 'apns';
  readonly environment: Environment;
  readonly url: string;
  readonly devices: DeviceBook<ApnsDeviceState>;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly knobs: ApnsKnobs;
  /** Living connections, oldest first. */
  readonly connections: readonly Connection[];
}

/** Starts a simulator of one APNs environment: HTTP/2 over TLS, as Apple's servers speak it. */
export async function startApnsSimulator(options: ApnsSimulatorOptions): Promise<ApnsSimulator> {
  const clock = options.clock ?? Date.now;
  const journal = options.journal ?? createJournal();
  const faults = new Faults();
  const service = new ApnsService(options, clock);
  const reception = new Reception({ service, faults, journal, clock });
  const listener = await startListener({
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    tls: options.tls,
    clientCa: options.clientCa ?? null,
    protocols: ['h2'],
    maxConcurrentStreams: 1,
    onConnection: (connection) => service.greet(connection),
    onExchange: (exchange) => void reception.receive(exchange),
  });
  return {
    provider: 'apns',
    environment: options.environment,
    url: listener.url,
    devices: service.devices,
    faults,
    journal,
    knobs: service.knobs,
    get connections() {
      return listener.connections;
    },
    async [Symbol.asyncDispose]() {
      reception.close();
      await listener[Symbol.asyncDispose]();
    },
  };
}
