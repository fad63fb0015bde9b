import { RefusalStreak } from './refusal-streak.ts';
import { ServiceRoute, type ServiceRouteOptions } from './service-route.ts';

/** Browsers have a handful of push services, Microsoft's a few dozen regions. */
const MANY = 64;

/** A token of a host that comes back is a new one, and Apple wants an hour between two. */
const FORGET_AFTER_MS = 60 * 60 * 1000;

interface KeptRoute {
  readonly route: ServiceRoute;
  readonly streak: RefusalStreak;
  usedAtMs: number;
  underWay: number;
}

/**
 * The ways to the push services of one credential, one for each origin. A route closes its
 * connections when nothing goes there for a while; that of a host which nobody has used for as long
 * is forgotten when there are many, because whoever registers chooses hosts.
 */
export class ServiceRoutes implements AsyncDisposable {
  readonly #open: (origin: string) => ServiceRoute;
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
      kept.usedAtMs = performance.now();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const routes = [...this.#routes.values()];
    await Promise.all(routes.map(({ route }) => route[Symbol.asyncDispose]()));
  }

  #routeTo(origin: string): KeptRoute {
    const known = this.#routes.get(origin);
    if (known !== undefined) return known;
    if (this.#routes.size >= MANY) this.#forget();
    const kept = {
      route: this.#open(origin),
      streak: new RefusalStreak(),
      usedAtMs: performance.now(),
      underWay: 0,
    };
    this.#routes.set(origin, kept);
    return kept;
  }

  #forget(): void {
    const before = performance.now() - FORGET_AFTER_MS;
    for (const [origin, { route, usedAtMs, underWay }] of this.#routes) {
      if (underWay > 0 || usedAtMs > before) continue;
      this.#routes.delete(origin);
      // Idle, so that there is nothing to wait for and nothing that could fail.
      void route[Symbol.asyncDispose]();
    }
  }
}
