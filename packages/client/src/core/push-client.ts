import type { Permission } from './ports.ts';
import type { UserProof } from './push-client-options.ts';

/** What a push says of itself, under `homing`, beside what there is to show. */
export interface PushEnvelope {
  /** `ntf_…`, or `prb_…` of a probe. */
  readonly id: string;
  /** Addressee tag; left out where the push is for whoever has the device. */
  readonly rcpt?: string;
  /** A nonce that proves that pushes reach this installation. */
  readonly challenge?: string;
}

/** `withhold`: for somebody who is not signed in here, or nothing to be seen. */
export type Verdict = 'show' | 'withhold';

export type ReceiptKind = 'displayed' | 'opened' | 'dismissed';

/** One place for all that can go wrong, so that an app can show or log it. */
export interface ClientError {
  /**
   * A code of the server, `http_` and a status where it gave none, `token_error`, `no_answer`,
   * `storage` or `proof_failed`.
   */
  readonly code: string;
  readonly detail: string;
  readonly at: Date;
}

export interface PushStatus {
  readonly installationId: string;
  readonly permission: Permission;
  /** Whether the system gave a token in this process. */
  readonly token: 'none' | 'present' | 'failed';
  /** Whether the server has acknowledged everything that this device wants it to know. */
  readonly registered: boolean;
  /** Who is signed in on this device, whether or not the server knows it already. */
  readonly users: readonly string[];
  /** A logout that the server has not acknowledged yet. */
  readonly logoutPending: boolean;
  readonly lastError: ClientError | null;
}

/** What the server holds, beside what this device wants; `differences` names the fields. */
export interface SelfCheck {
  readonly status: string;
  readonly differences: readonly ('token' | 'user' | 'permission' | 'device' | 'tags' | 'topics')[];
}

export interface PushEvents {
  /** The server has acknowledged the newest state. */
  readonly registered: { readonly users: readonly string[] };
  /** A user is not signed in any more although the app did not ask for it; the app should. */
  readonly signed_out: { readonly userId: string; readonly why: string };
  readonly token_error: { readonly code: string; readonly detail: string };
  readonly permission: { readonly permission: Permission };
  readonly error: ClientError;
}

export type PushEventName = keyof PushEvents;

/**
 * One installation of an app, as the app sees it. It keeps what the app wants, durable before
 * anything is sent, and brings the server there by itself, newest state only. What a caller asks
 * for resolves once it is durable on this device, whether or not there is a network; it rejects
 * only where this device cannot keep it, or for an argument that no server would take.
 */
export interface PushClient extends AsyncDisposable {
  /** Call it at every start of the process: reads permission and token, and checks in once. */
  start(): Promise<void>;
  /** Asks the person, unless they have denied it before, and registers when they agree. */
  subscribe(): Promise<Permission>;
  /** Gives the token back, and stays signed in; until `subscribe` is called again. */
  unsubscribe(): Promise<void>;
  login(userId: string, proof: UserProof): Promise<void>;
  /** Without a user: everybody. From here on nothing is shown that is addressed to them. */
  logout(userId?: string): Promise<void>;
  /** Replaces the tags of the user; they go with the logout. */
  setTags(tags: Readonly<Record<string, string>>): Promise<void>;
  /** Replaces the tags of the device. */
  setDeviceTags(tags: Readonly<Record<string, string>>): Promise<void>;
  subscribeTopic(topic: string, scope?: 'device' | 'user'): Promise<void>;
  unsubscribeTopic(topic: string): Promise<void>;
  /** Hand every push over before anything is shown, in the foreground too. */
  received(envelope: PushEnvelope): Promise<Verdict>;
  /**
   * Say so once it is on the screen; it gets a receipt. False where somebody has logged out since
   * the verdict: take it away again.
   */
  displayed(envelope: PushEnvelope): Promise<boolean>;
  /** Whether what was tapped may be opened for whoever is signed in now; it gets a receipt then. */
  opened(envelope: PushEnvelope): Promise<boolean>;
  dismissed(envelope: PushEnvelope): Promise<void>;
  status(): Promise<PushStatus>;
  /** Asks the server what it holds; null when it did not answer. */
  selfCheck(): Promise<SelfCheck | null>;
  on<K extends PushEventName>(name: K, listener: (event: PushEvents[K]) => void): () => void;
  /** The network is back, or the app came to the foreground: tries at once, and reads again. */
  wake(): void;
  /** Resolves when everything is acknowledged, or waits for time to pass or for the app to act. */
  settled(): Promise<void>;
}
