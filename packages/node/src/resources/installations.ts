import type {
  Applied,
  Installation,
  InstallationInput,
  PreferencesAnswer,
  PreferencesInput,
  PurposeTokenInput,
  ReceiptsAnswer,
  ReceiptsInput,
  SyncAnswer,
  Timeline,
  TimelineEntry,
  TopicInput,
} from '@homing/protocol';
import type { CallOptions, OnceOptions } from '../call.ts';
import { eachOf, type PageOf, type PageSize } from '../paging.ts';
import type { Transport } from '../transport.ts';

/** All that is given has to be true of an installation. */
export interface InstallationFilter extends PageSize {
  readonly user_id?: string;
  readonly token?: string;
  readonly platform?: string;
  readonly status?: string;
}

export type Purpose = 'voip' | 'live_activity' | 'push_to_start';

/** What a back end writes needs no `seq`: of several, the one that arrives last holds. */
export interface Installations {
  /** Registers or changes an installation; may name its user without any proof. */
  put(installationId: string, input: InstallationInput, options?: CallOptions): Promise<SyncAnswer>;
  get(installationId: string, options?: CallOptions): Promise<Installation>;
  list(filter?: InstallationFilter, options?: CallOptions): AsyncGenerator<Installation>;
  /** The app is gone from the device. */
  remove(installationId: string, options?: CallOptions): Promise<void>;
  /** Signs out whoever is signed in. */
  signOut(installationId: string, options?: CallOptions): Promise<void>;
  /** Signs out one user and nobody else. */
  signOutUser(installationId: string, userId: string, options?: CallOptions): Promise<void>;
  /** All that happened to the device, in sentences, oldest first. */
  timeline(installationId: string, options?: CallOptions): Promise<readonly TimelineEntry[]>;
  setPreferences(
    installationId: string,
    input: PreferencesInput,
    options?: CallOptions,
  ): Promise<PreferencesAnswer>;
  subscribe(
    installationId: string,
    topic: string,
    input: TopicInput,
    options?: CallOptions,
  ): Promise<Applied>;
  unsubscribe(installationId: string, topic: string, options?: CallOptions): Promise<Applied>;
  /** The token for calls or Live Activities, beside the one for alerts. */
  setPurposeToken(
    installationId: string,
    purpose: Purpose,
    input: PurposeTokenInput,
    options?: CallOptions,
  ): Promise<Applied>;
  /** A token for a Live Activity is named by its `activityId`, the others have none. */
  removePurposeToken(
    installationId: string,
    purpose: Purpose,
    options?: CallOptions & { readonly activityId?: string },
  ): Promise<Applied>;
  /** Reports what was displayed, opened or dismissed, where the device told the back end. */
  reportReceipts(
    installationId: string,
    input: ReceiptsInput,
    options?: OnceOptions,
  ): Promise<ReceiptsAnswer>;
}

export function createInstallations(transport: Transport): Installations {
  return { ...createRecords(transport), ...createSettings(transport) };
}

type Records = Pick<
  Installations,
  'put' | 'get' | 'list' | 'remove' | 'signOut' | 'signOutUser' | 'timeline' | 'reportReceipts'
>;

function createRecords(transport: Transport): Records {
  return {
    put: (id, input, options) =>
      transport.json('PUT', ['installations', id], { json: input, options }),
    get: (id, options) => transport.json('GET', ['installations', id], { options }),
    list({ pageSize: limit, ...filter } = {}, options) {
      return eachOf((after) => {
        const query = { ...filter, limit, after };
        return transport.json<PageOf<Installation>>('GET', ['installations'], { query, options });
      });
    },
    remove: (id, options) => transport.nothing('DELETE', ['installations', id], { options }),
    signOut: (id, options) =>
      transport.nothing('DELETE', ['installations', id, 'user'], { options }),
    signOutUser: (id, userId, options) =>
      transport.nothing('DELETE', ['installations', id, 'users', userId], { options }),
    async timeline(id, options) {
      const path = ['installations', id, 'timeline'];
      const { data } = await transport.json<Timeline>('GET', path, { options });
      return data;
    },
    reportReceipts: (id, input, options) =>
      transport.json('POST', ['installations', id, 'receipts'], {
        json: input,
        options,
      }),
  };
}

function createSettings(transport: Transport): Omit<Installations, keyof Records> {
  return {
    setPreferences: (id, input, options) =>
      transport.json('PUT', ['installations', id, 'preferences'], {
        json: input,
        options,
      }),
    subscribe: (id, topic, input, options) =>
      transport.json('PUT', ['installations', id, 'topics', topic], {
        json: input,
        options,
      }),
    unsubscribe: (id, topic, options) =>
      transport.json('DELETE', ['installations', id, 'topics', topic], { options }),
    setPurposeToken: (id, purpose, input, options) =>
      transport.json('PUT', ['installations', id, 'purpose-tokens', purpose], {
        json: input,
        options,
      }),
    removePurposeToken: (id, purpose, { activityId, ...options } = {}) =>
      transport.json('DELETE', ['installations', id, 'purpose-tokens', purpose], {
        query: { activity_id: activityId },
        options,
      }),
  };
}
