import { Counter, collectDefaultMetrics, Registry } from 'prom-client';

/** What the process counts; every label has few values. */
export interface Metrics {
  /** Attempts by provider and kind of outcome. */
  readonly outcomes: Counter<'provider' | 'outcome'>;
  /** What providers said later of what they had taken. */
  readonly receipts: Counter<'provider' | 'outcome'>;
  readonly requests: Counter<'route' | 'status'>;
  readonly refutedRefusals: Counter;
  readonly dispatcherFaults: Counter;
  readonly credentialStops: Counter;
  /** Prometheus text format. */
  render(): Promise<string>;
}

/** A registry of its own, so that several servers can live in one process. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'homing_' });
  return {
    outcomes: new Counter({
      name: 'homing_provider_outcomes_total',
      help: 'Pushes offered to a provider, by what came of it',
      labelNames: ['provider', 'outcome'],
      registers,
    }),
    receipts: new Counter({
      name: 'homing_provider_receipts_total',
      help: 'Receipts of pushes that a provider had taken, by what became of the push',
      labelNames: ['provider', 'outcome'],
      registers,
    }),
    requests: new Counter({
      name: 'homing_http_requests_total',
      help: 'HTTP requests by route and status',
      labelNames: ['route', 'status'],
      registers,
    }),
    refutedRefusals: new Counter({
      name: 'homing_refuted_refusals_total',
      help: 'Tokens that a provider refused too late: their device had confirmed or replaced them',
      registers,
    }),
    dispatcherFaults: new Counter({
      name: 'homing_dispatcher_faults_total',
      help: 'Turns and chunks of the dispatcher that ended in an unexpected error',
      registers,
    }),
    credentialStops: new Counter({
      name: 'homing_credential_stops_total',
      help: 'Times that a provider refused a credential, which stands still until it works again',
      registers,
    }),
    render: () => registry.metrics(),
  };
}
