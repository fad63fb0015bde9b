import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';

/** A credential that is refused, everywhere or at one host. */
interface StoppedAt {
  readonly credentialRef: number;
  readonly host: string | null;
}

/** One function per business event: a log line and a count. Never drives logic. */
export interface Events {
  readonly announcementLost: (error: unknown) => void;
  readonly maintenanceFailed: (error: unknown) => void;
  readonly dispatcherFault: (error: unknown) => void;
  readonly refuted: (count: number) => void;
  readonly outcome: (provider: string, outcome: string) => void;
  readonly credentialStopped: (at: StoppedAt, code: string) => void;
  readonly credentialResumed: (at: StoppedAt) => void;
  readonly receipt: (provider: string, outcome: string) => void;
  readonly keySetFailed: (appRef: number, why: string) => void;
}

export function createEvents(logger: Logger, metrics: Metrics): Events {
  return {
    announcementLost(error) {
      logger.warn({ err: error }, 'work could not be announced; workers find it by polling');
    },
    maintenanceFailed(error) {
      logger.error({ err: error }, 'maintenance failed; it is tried again in an hour');
    },
    dispatcherFault(error) {
      metrics.dispatcherFaults.inc();
      logger.error(
        { err: error },
        'the dispatcher met an unexpected error; leased work is retried',
      );
    },
    refuted(count) {
      metrics.refutedRefusals.inc(count);
    },
    outcome(provider, outcome) {
      metrics.outcomes.inc({ provider, outcome });
    },
    receipt(provider, outcome) {
      metrics.receipts.inc({ provider, outcome });
    },
    credentialStopped(at, code) {
      metrics.credentialStops.inc();
      logger.error({ ...at, code }, 'a provider refuses a credential; its lane stands still');
    },
    credentialResumed(at) {
      logger.info({ ...at }, 'a credential works again');
    },
    keySetFailed(appRef, why) {
      logger.warn({ appRef, why }, "an app's key set could not be fetched; its last copy serves");
    },
  };
}
