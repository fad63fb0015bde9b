import fc, { type AsyncCommand } from 'fast-check';
import type { Drawer } from './drawer.ts';
import type { History } from './history.ts';
import type { Claim, DeadSince, Operation } from './operation.ts';

type Command = AsyncCommand<Drawer, History>;
type ServerOperation = Exclude<Operation, { kind: 'dead' }>;

/** Fewer than three of each let no two meet that do not concern each other. */
const installation = fc.constantFrom('P1', 'P2', 'P3');
const user = fc.constantFrom('Anna', 'Ben', 'Mallory');
/** One is of APNs, which tells since when a token is dead; FCM does not. */
const token = fc.constantFrom('T1', 'T2', 'A3');
/** Which of the things that were written before is meant: mostly the last ones. */
const pick = fc.oneof({ weight: 3, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.nat(20) });
/**
 * When an assertion was issued, against second 0 in which everything arrives: equal seconds, a
 * back end whose clock is ahead, and proofs that were long under way.
 */
const second = fc.constantFrom(1, 2, 30, 0, -1, -90);
const proof = fc.oneof(
  { weight: 6, arbitrary: second.map((issuedAt) => ({ kind: 'fresh', issuedAt }) as const) },
  { weight: 1, arbitrary: pick.map((of) => ({ kind: 'used', pick: of }) as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'none' } as const) },
);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 6, nil: null });

interface Shown {
  readonly user: string;
  readonly proof:
    | { readonly kind: 'fresh'; readonly issuedAt: number }
    | { readonly kind: 'used'; readonly pick: number }
    | { readonly kind: 'none' };
}
const shown = fc.record({ user, proof });
/** In an exclusive app only the first one counts. */
const crowd = fc.uniqueArray(shown, { minLength: 1, maxLength: 3, selector: (one) => one.user });
const leaver = fc.option(user, { freq: 2, nil: null });
/** Seldom a packet is written under a sequence that was used before, as a copy would. */
const back = fc.oneof(
  { weight: 12, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 }) },
);
/** Not every packet is sent when it is written; the others arrive late or never. */
const isSent = fc.oneof(
  { weight: 4, arbitrary: fc.constant(true) },
  { weight: 1, arbitrary: fc.constant(false) },
);

/** Everything that clients, back ends and providers do, in any order. */
export function historyCommands(): fc.Arbitrary<Iterable<Command>> {
  return fc.commands([...clientCommands(), ...otherCommands()], { maxCommands: 14, size: 'max' });
}

/** The packets of well and ill behaved clients, in time, late and again. */
function clientCommands(): readonly fc.Arbitrary<Command>[] {
  return [
    fc
      .record({ installation, token, isSent, back })
      .map((one) =>
        written('reports', one, (drawer) =>
          drawer.packet(one.installation, { token: one.token }, one.back),
        ),
      ),
    fc.record({ installation, token, crowd, isSent, back }).map((one) =>
      written('registers', one, (drawer) => {
        const users = claimsOf(drawer, one.installation, one.crowd);
        return drawer.packet(one.installation, { token: one.token, users }, one.back);
      }),
    ),
    fc.record({ installation, crowd: maybe(crowd), isSent, back }).map((one) =>
      written('signs in', one, (drawer) => {
        const users = claimsOf(drawer, one.installation, one.crowd ?? []);
        return drawer.packet(one.installation, { users }, one.back);
      }),
    ),
    fc
      .record({ installation, isSent, isCounted: fc.boolean(), leaver })
      .map((one) =>
        written('signs out', one, (drawer) =>
          drawer.logout(one.installation, one.isCounted, one.leaver),
        ),
      ),
    installation.map((name) => performed(`${name} checks in`, (drawer) => drawer.last(name))),
    pick.map((of) => performed(`packet ${of} from the last`, (drawer) => drawer.written(of))),
    pick.map((of) => performed(`packet ${of} from the last`, (drawer) => drawer.written(of))),
    pick.map((of) => performed(`echo ${of} from the last`, (drawer) => drawer.echo(of))),
    fc.record({ installation, secret: installation, pick }).map((one) =>
      performed('a stranger repeats a packet', (drawer) => {
        const known = drawer.last(one.installation);
        return known === null ? null : { ...known, secret: one.secret };
      }),
    ),
    installation.map((name) =>
      performed(`${name} is removed`, () => ({
        kind: 'remove',
        installation: name,
        secret: name,
      })),
    ),
  ];
}

/** What back ends and providers do, and the looks that find out what came of it. */
function otherCommands(): readonly fc.Arbitrary<Command>[] {
  const since = fc.constantFrom<DeadSince>('just_now', 'long_ago');
  const users = fc.uniqueArray(user, { minLength: 1, maxLength: 2 });
  return [
    fc
      .record({ installation, token: maybe(token), users: maybe(users), groups: fc.nat(2) })
      .map((one) =>
        performed(`the back end sets ${one.installation}`, (drawer) => ({
          kind: 'assign',
          installation: one.installation,
          ...(one.groups !== 1 && { token: one.token }),
          ...(one.groups !== 0 && { users: drawer.admitted(one.users ?? []) }),
        })),
      ),
    fc
      .record({ user, named: maybe(fc.uniqueArray(installation, { minLength: 1 })) })
      .map((one) => performed(`revoke ${one.user}`, () => ({ kind: 'revoke', ...one }))),
    user.map((name) => performed(`erase ${name}`, () => ({ kind: 'erase', user: name }))),
    fc
      .record({ token, since })
      .map((one) => looking(`${one.token} dies`, (history) => history.die(one.token, one.since))),
    user.map((name) => looking(`send to ${name}`, (history) => history.send([name]))),
    fc.constant(looking('look', (history) => history.compare())),
  ];
}

function claimsOf(drawer: Drawer, installation: string, named: readonly Shown[]): readonly Claim[] {
  return drawer.admitted(named).map((one) => claimOf(drawer, installation, one));
}

function claimOf(drawer: Drawer, installation: string, { user, proof }: Shown): Claim {
  switch (proof.kind) {
    case 'fresh':
      return drawer.claim(user, proof.issuedAt);
    case 'used':
      return drawer.usedClaim(installation, user, proof.pick);
    case 'none':
      return { user, proof: null };
  }
}

/** A packet that a client writes, and sends now or not yet. */
function written(
  what: string,
  one: { readonly installation: string; readonly isSent: boolean },
  write: (drawer: Drawer) => ServerOperation,
): Command {
  return {
    check: () => true,
    toString: () => `${one.installation} ${what}`,
    async run(drawer, history) {
      const operation = write(drawer);
      if (one.isSent) await perform(drawer, history, operation);
    },
  };
}

function performed(what: string, plan: (drawer: Drawer) => ServerOperation | null): Command {
  return {
    check: () => true,
    toString: () => what,
    async run(drawer, history) {
      const operation = plan(drawer);
      if (operation !== null) await perform(drawer, history, operation);
    },
  };
}

function looking(what: string, look: (history: History) => Promise<void>): Command {
  return { check: () => true, toString: () => what, run: (_, history) => look(history) };
}

async function perform(
  drawer: Drawer,
  history: History,
  operation: ServerOperation,
): Promise<void> {
  const reply = await history.step(operation);
  if (operation.kind === 'sync' && reply.kind === 'token_held') {
    drawer.refuse(operation, reply.nonce);
  }
}
