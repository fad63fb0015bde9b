import type {
  ClientAnswer,
  ClientRequest,
  Transport,
} from '../../packages/client/src/core/ports.ts';
import type { RegistryBook, Statement } from '../storm/registry-book.ts';
import type { Diary } from './diary.ts';

export interface WireOptions {
  /** Base URL of the network. */
  readonly url: string;
  /** Where the phone seems to come from; enrolments are limited by it. */
  readonly address: string;
  readonly isOnline: () => boolean;
  readonly book: RegistryBook;
  readonly diary: Diary;
  /** The time that providers note pushes by, in milliseconds. */
  readonly now: () => number;
  readonly onAcknowledged: (packet: AcknowledgedPacket) => void;
}

/** What a server took of a phone, whole. */
export interface AcknowledgedPacket {
  readonly installationId: string;
  readonly userId: string | null | undefined;
  readonly token: string | null | undefined;
  /** On the clock of `performance`. */
  readonly sentAtMs: number;
}

/** A request that says something of user or token. */
interface Packet {
  readonly installationId: string;
  readonly seq: number;
  readonly user: string | null | undefined;
  readonly token: string | null | undefined;
}

interface PacketBody {
  readonly seq: number;
  readonly user?: { readonly id: string; readonly assertion?: string } | null;
  readonly token?: { readonly value: string } | null;
  readonly takeover?: string;
  readonly permission?: string;
}

const INSTALLATION_PATH = /^\/v1\/installations\/([0-9a-f-]+)(\/user)?(?:\?seq=(\d+))?$/;

/**
 * A phone's way to the network, which sees what passes: it writes the diary, tells the book what
 * the phone says and what was acknowledged, and counts.
 */
export class Wire {
  readonly #options: WireOptions;
  readonly #statements = new Map<string, Statement>();
  readonly #sentAtMs: number[] = [];
  #said = 0;

  constructor(options: WireOptions) {
    this.#options = options;
  }

  /** When requests left the phone, on the clock of `performance`. */
  get sentAtMs(): readonly number[] {
    return this.#sentAtMs;
  }

  /** How many requests said something of the installation; receipts do not. */
  get statements(): number {
    return this.#said;
  }

  readonly transport: Transport = async (request, signal) => {
    const { diary, isOnline, url, address } = this.#options;
    if (!isOnline()) return null;
    const sentAtMs = performance.now();
    this.#sentAtMs.push(sentAtMs);
    if (request.method === 'PUT' || request.method === 'DELETE') this.#said += 1;
    const number = this.#sentAtMs.length;
    diary.note(`-> ${number} ${describeRequest(request)}`);
    const packet = toPacket(request);
    const statement = packet === null ? null : this.#begin(packet, request);
    const answer = await transmit(url, address, request, signal);
    // An answer that comes while the network is off does not come.
    const received = isOnline() ? answer : null;
    diary.note(`<- ${number} ${describeAnswer(received)}`);
    if (packet !== null && statement !== null && received !== null) {
      this.#heed(packet, statement, received, sentAtMs);
    }
    return received;
  };

  /** The same sequence with the same content is one statement, however often it is sent. */
  #begin(packet: Packet, { headers }: ClientRequest): Statement {
    const { book } = this.#options;
    const { installationId } = packet;
    if (!book.has(installationId)) {
      book.open(installationId, headers['homing-installation-secret'] ?? '');
    }
    const key = JSON.stringify(packet);
    const known = this.#statements.get(key);
    if (known !== undefined) return known;
    const statement = book.begin(installationId, packet);
    this.#statements.set(key, statement);
    return statement;
  }

  #heed(packet: Packet, statement: Statement, answer: ClientAnswer, sentAtMs: number): void {
    if (!isTaken(packet, answer)) return;
    const { book, now, onAcknowledged } = this.#options;
    book.acknowledge(statement, now());
    const { installationId, user: userId, token } = packet;
    onAcknowledged({ installationId, userId, token, sentAtMs });
  }
}

/** Offline, reset, refused: all the same to the phone. */
async function transmit(
  url: string,
  address: string,
  request: ClientRequest,
  signal: AbortSignal,
): Promise<ClientAnswer | null> {
  try {
    const answer = await fetch(`${url}${request.path}`, {
      method: request.method,
      headers: { ...request.headers, 'x-forwarded-for': address },
      body: request.body,
      signal,
    });
    const body = await answer.text();
    return { status: answer.status, header: (name) => answer.headers.get(name), body };
  } catch {
    return null;
  }
}

/** Null for what says nothing of user or token. */
function toPacket({ method, path, body }: ClientRequest): Packet | null {
  const [, installationId, isLogout, seq] = INSTALLATION_PATH.exec(path) ?? [];
  if (installationId === undefined) return null;
  if (method === 'DELETE' && isLogout !== undefined) {
    return { installationId, seq: Number(seq), user: null, token: undefined };
  }
  if (method !== 'PUT' || body === null) return null;
  const said = JSON.parse(body) as PacketBody;
  const user = said.user === undefined ? undefined : (said.user?.id ?? null);
  const token = said.token === undefined ? undefined : (said.token?.value ?? null);
  return { installationId, seq: said.seq, user, token };
}

/** Whether all that a packet says is in force, or was until a later one. */
function isTaken({ seq }: Packet, answer: ClientAnswer): boolean {
  if (answer.status === 204) return Number(answer.header('homing-seq') ?? seq) === seq;
  if (answer.status !== 200 && answer.status !== 201) return false;
  const { reason } = JSON.parse(answer.body) as { readonly reason?: object };
  return Object.keys(reason ?? {}).length === 0;
}

function describeRequest({ method, path, body }: ClientRequest): string {
  const target = path
    .replace('/v1/installations/', '')
    .replace(/^([0-9a-f]{4})[0-9a-f-]{32}/, '$1');
  if (method !== 'PUT' || body === null) return `${method} ${target} ${body ?? ''}`;
  const { seq, user, token, permission, takeover } = JSON.parse(body) as PacketBody;
  const facts = [
    `seq ${seq}`,
    ...(user === undefined ? [] : [`user ${user?.id ?? 'nobody'}`]),
    ...(user?.assertion === undefined ? [] : ['proven']),
    ...(token === undefined ? [] : [`token ${token?.value.slice(0, 8) ?? 'none'}`]),
    ...(permission === undefined ? [] : [permission]),
    ...(takeover === undefined ? [] : ['takeover']),
  ];
  return `PUT ${target} ${facts.join(', ')}`;
}

function describeAnswer(answer: ClientAnswer | null): string {
  if (answer === null) return 'no answer';
  const { status, body } = answer;
  const seq = answer.header('homing-seq');
  if (body === '') return `${status}${seq === null ? '' : `, seq ${seq}`}`;
  const { code, applied, reason } = JSON.parse(body) as Readonly<Record<string, unknown>>;
  return `${status} ${JSON.stringify({ code, applied, reason })}`;
}
