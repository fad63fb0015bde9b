import type { AccountMode, Claim, Logout, Operation, Packet } from './operation.ts';

/** What small cases are made of. */
export type CaseStep = Extract<Operation, { kind: 'sync' | 'logout' | 'revoke' | 'erase' }>;

/** One thing that a device or a back end sends, as it is sent again when it arrives twice. */
export type CaseOperation =
  | CaseStep
  /** Repeats packet number `of` with the nonce of its `409`; not sent as long as there is none. */
  | { readonly kind: 'echo'; readonly of: number };

/**
 * A scenario as its packets, in the order in which they are sent. They arrive in any order, each
 * lost, once or twice.
 */
export interface HistoryCase {
  /** Its number among the scenarios, and what it is about. */
  readonly name: string;
  /** The kind of app; default exclusive. */
  readonly accountMode?: AccountMode;
  readonly operations: readonly CaseOperation[];
  /**
   * Who must not be reached through the first phone's tokens once the last operation was accepted,
   * whatever else arrives: this is what the registry is for, said without the model.
   */
  readonly formerUsers?: readonly string[];
}

/** Assertions count up with the sequences: later ones are newer, none is older than second 0. */
function user(name: string, second: number): Claim {
  return { user: name, proof: { id: `${name}${second}`, issuedAt: second } };
}

type Part = Pick<Packet, 'token' | 'users'>;

function packet(installation: string, seq: number, part: Part): Packet {
  return { kind: 'sync', installation, secret: installation, seq, ...part };
}

function logout(installation: string, seq: number | null, secret = installation): Logout {
  return { kind: 'logout', installation, secret, seq, user: null };
}

const [A, B, M] = ['Anna', 'Ben', 'Mallory'];

const PROMPT_CASES: readonly HistoryCase[] = [
  {
    name: 'register, refresh, logout, register',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      packet('P1', 2, { token: 'T2' }),
      logout('P1', 3),
      packet('P1', 4, { token: 'T2', users: [user(B, 4)] }),
    ],
    formerUsers: [A],
  },
  {
    name: 'S24 reinstall',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      packet('P2', 1, { token: 'T1' }),
      packet('P2', 2, { token: 'T1', users: [user(B, 2)] }),
    ],
    formerUsers: [A],
  },
  {
    name: 'S01 direct switch',
    operations: [
      packet('P1', 1, { token: 'T1' }),
      packet('P1', 2, { users: [user(A, 2)] }),
      packet('P1', 3, { users: [user(B, 3)] }),
    ],
    formerUsers: [A],
  },
  {
    name: 'S02 and S04 late registration, late logout',
    operations: [
      packet('P1', 1, { token: 'T1' }),
      packet('P1', 2, { users: [user(A, 2)] }),
      logout('P1', 3),
      packet('P1', 4, { users: [user(B, 4)] }),
    ],
    formerUsers: [A],
  },
  {
    name: 'S05 and S06 logout and refresh against registration',
    operations: [
      packet('P1', 1, { token: 'T1' }),
      packet('P1', 2, { users: [user(A, 2)] }),
      packet('P1', 3, { token: 'T2' }),
      logout('P1', 4),
    ],
    formerUsers: [A],
  },
  {
    name: 'S08 logout by packet against registration',
    operations: [
      packet('P1', 1, { token: 'T1' }),
      packet('P1', 2, { users: [user(A, 2)] }),
      packet('P1', 3, { users: [] }),
    ],
    formerUsers: [A],
  },
  {
    name: 'S09 token refresh crossing login',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      packet('P1', 2, { token: 'T2' }),
      packet('P1', 3, { users: [user(B, 3)] }),
    ],
    formerUsers: [A],
  },
  {
    name: 'S12 ping-pong',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      packet('P1', 2, { users: [user(B, 2)] }),
      packet('P1', 3, { users: [user(A, 3)] }),
      packet('P1', 4, { users: [user(B, 4)] }),
    ],
    formerUsers: [A],
  },
  {
    name: 'S17 and S35 logins without a good proof, logout with a dead session',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      packet('P1', 2, { users: [{ user: B, proof: null }] }),
      packet('P1', 3, { users: [{ user: A, proof: { id: `${A}1`, issuedAt: 1 } }] }),
      logout('P1', null),
    ],
  },
  {
    name: 'S21 logout on one of two phones',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      packet('P2', 1, { token: 'T2', users: [user(A, 2)] }),
      logout('P1', 2),
    ],
  },
  {
    name: 'S23 claims of one token',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      packet('P2', 1, { token: 'T1', users: [user(B, 2)] }),
      packet('P3', 1, { token: 'T1', users: [user(M, 2)] }),
    ],
  },
  {
    name: 'S26 reinstall, nobody logs in',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      packet('P2', 1, { token: 'T1' }),
      { kind: 'echo', of: 1 },
    ],
  },
  {
    name: 'S28 and S37 a copy without the secret',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      { ...packet('P1', 2, { token: 'T2', users: [user(M, 2)] }), secret: 'P2' },
      logout('P1', 3, 'P2'),
      packet('P2', 1, { token: 'T2', users: [user(A, 4)] }),
    ],
  },
  {
    name: 'S29 and S31 a copy with the secret',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      packet('P1', 2, { token: 'T2' }),
      packet('P1', 2, { token: 'T1' }),
      packet('P1', 3, { users: [user(B, 3)] }),
    ],
    formerUsers: [A],
  },
  {
    name: 'S32 a token that the provider gave to another phone',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      packet('P2', 1, { token: 'T1', users: [user(B, 2)] }),
      packet('P1', 2, { token: 'T3' }),
    ],
  },
  {
    name: 'S34 Mallory claims the token, and the phone takes it back',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      packet('P9', 1, { token: 'T1', users: [user(M, 2)] }),
      packet('P1', 2, { token: 'T1' }),
      { kind: 'echo', of: 2 },
    ],
  },
  {
    name: 'S42 crossed tokens',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      packet('P2', 1, { token: 'T2', users: [user(B, 1)] }),
      packet('P1', 2, { token: 'T2', users: [user(A, 2)] }),
      packet('P2', 2, { token: 'T1', users: [user(B, 2)] }),
    ],
  },
];

/** R13: several users on one installation. */
const SHARED_CASES: readonly HistoryCase[] = [
  {
    name: 'S84 and S87 two users, of whom one leaves',
    accountMode: 'multi',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      packet('P1', 2, { users: [{ user: A, proof: null }, user(B, 2)] }),
      { ...logout('P1', 3), user: A },
    ],
    formerUsers: [A],
  },
  {
    name: 'S86 two users who leave one after the other',
    accountMode: 'multi',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1), user(B, 1)] }),
      { ...logout('P1', 2), user: B },
      packet('P1', 3, { users: [] }),
    ],
    formerUsers: [A, B],
  },
  {
    name: 'a bad proof among good ones, and a phone that two take over',
    accountMode: 'multi',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      packet('P1', 2, { users: [user(B, 2), { user: M, proof: null }, user(A, 2)] }),
      packet('P2', 1, { token: 'T1', users: [user(M, 1), user(B, 3)] }),
      packet('P1', 3, { users: [user(B, 2)] }),
    ],
    formerUsers: [A],
  },
];

/** Longer than a history takes, and shorter than assertions live. */
const HELD_UP_SECONDS = 100;

/**
 * The same packets, held up on their way: every assertion is older than anything that happens at
 * the server, so that none takes a token over.
 */
function heldUp({ name, operations }: HistoryCase): HistoryCase {
  return {
    name: `${name}, held up`,
    operations: operations.map((operation) => {
      if (operation.kind !== 'sync' || operation.users === undefined) return operation;
      return { ...operation, users: operation.users.map(claimHeldUp) };
    }),
  };
}

function claimHeldUp(claim: Claim): Claim {
  const { user, proof } = claim;
  if (proof === null) return claim;
  return { user, proof: { ...proof, issuedAt: proof.issuedAt - HELD_UP_SECONDS } };
}

/** Whether several installations meet, so that the age of an assertion can make a difference. */
function meet({ operations }: HistoryCase): boolean {
  const named = operations.flatMap((one) => (one.kind === 'sync' ? [one.installation] : []));
  return new Set(named).size > 1;
}

/** Cases of groups A and B with up to four operations, all of whose histories are run over HTTP. */
export const CASES: readonly HistoryCase[] = [
  ...PROMPT_CASES,
  ...SHARED_CASES,
  ...PROMPT_CASES.filter(meet).map(heldUp),
];

/** Cases of five operations: all histories in the model, a sample of them over HTTP. */
export const LONG_CASES: readonly HistoryCase[] = [
  {
    name: 'register, refresh, logout, register, refresh',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      packet('P1', 2, { token: 'T2' }),
      logout('P1', 3),
      packet('P1', 4, { token: 'T2', users: [user(B, 4)] }),
      packet('P1', 5, { token: 'T3', users: [user(B, 5)] }),
    ],
    formerUsers: [A],
  },
  {
    name: 'S24 and S26 reinstall, echo, login and logout',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      packet('P2', 1, { token: 'T1' }),
      { kind: 'echo', of: 1 },
      packet('P2', 2, { users: [user(B, 2)] }),
      logout('P2', 3),
    ],
  },
  {
    name: 'S34 and S42 tokens claimed, claimed back and crossed',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      packet('P2', 1, { token: 'T1', users: [user(B, 2)] }),
      packet('P1', 2, { token: 'T1', users: [user(A, 3)] }),
      { kind: 'echo', of: 2 },
      packet('P2', 2, { token: 'T2' }),
    ],
  },
  {
    name: 'S55 and S56 revoked and erased between logins',
    operations: [
      packet('P1', 1, { token: 'T1', users: [user(A, 1)] }),
      { kind: 'revoke', user: A, named: null },
      packet('P1', 2, { users: [{ user: A, proof: { id: 'before', issuedAt: 0 } }] }),
      { kind: 'erase', user: A },
      packet('P1', 3, { token: 'T1', users: [user(B, 3)] }),
    ],
    formerUsers: [A],
  },
];
