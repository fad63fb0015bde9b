import { RefusalStreak } from './refusal-streak.ts';
import { ServiceRoute, type ServiceRouteOptions } from './service-route.ts';

/** Browsers have a handful of push services, Microsoft's a few dozen regions. */
const MANY = 64;

interface KeptRoute {
  readonly route: ServiceRoute;
  readonly streak: RefusalStreak;
  underWay: number;
}

/**
 * The ways to the push services of one credential, one for each origin. A route closes its
 * connections when nothing goes there for a while. Beyond `MANY`, the one that nobody has used for
 * longest is forgotten, with its token and all that is known of its host, because whoever registers
 * can invent hosts.
 */
export class ServiceRoutes implements AsyncDisposable {
  readonly #open: (origin: string) => ServiceRoute;
  /** The one that was used last comes last. */
  readonly #routes = new Map<string, KeptRoute>();

  constructor(
    options: Omit<ServiceRouteOptions, 'origin' | 'authorization'>,
    authorizationFor: (origin: string) => () => string,
  ) {
    this.#open = (origin) =>
      new ServiceRoute({ ...options, origin, authorization: authorizationFor(origin) });
  }

  /** The result of something that is done over the route to an origin, and weighed there. */
  async use<Result>(
    origin: string,
    send: (route: ServiceRoute, streak: RefusalStreak) => Promise<Result>,
  ): Promise<Result> {
    const kept = this.#routeTo(origin);
    kept.underWay += 1;
    try {
      return await send(kept.route, kept.streak);
    } finally {
      kept.underWay -= 1;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const routes = [...this.#routes.values()];
    await Promise.all(routes.map(({ route }) => route[Symbol.asyncDispose]()));
  }

  #routeTo(origin: string): KeptRoute {
    const known = this.#routes.get(origin);
    if (known === undefined) this.#makeRoom();
    const route = known?.route ?? this.#open(origin);
    const kept = known ?? { route, streak: new RefusalStreak(), underWay: 0 };
    this.#routes.delete(origin);
    this.#routes.set(origin, kept);
    return kept;
  }

  /**
   * Hosts that never took anything go first, so that invented ones push out no other: Apple wants
   * an hour between two tokens. There are more than many only while pushes are under way to each.
   */
  #makeRoom(): void {
    if (this.#routes.size < MANY) return;
    const idle = [...this.#routes].filter(([, { underWay }]) => underWay === 0);
    const [taken, others] = [idle.filter(hasTaken), idle.filter((entry) => !hasTaken(entry))];
    const excess = this.#routes.size + 1 - MANY;
    for (const [origin, { route }] of [...others, ...taken].slice(0, excess)) {
      this.#routes.delete(origin);
      // Idle, so that there is nothing to wait for and nothing that could fail.
      void route[Symbol.asyncDispose]();
    }
  }
}

function hasTaken([, { streak }]: readonly [string, KeptRoute]): boolean {
  return streak.hasTaken;
}
