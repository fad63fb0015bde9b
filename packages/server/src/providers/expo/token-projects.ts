/** A few megabytes; whoever is forgotten is asked about anew, with a request that is refused. */
const MOST = 20_000;

/**
 * Whose tokens are, as far as Expo has said so. A request that mixes projects is refused, and the
 * answer may come too late for its parts to be sent: they come back together, and are divided then
 * before they are sent.
 */
export class TokenProjects {
  readonly #projectOf = new Map<string, string>();

  /** Null for a token that Expo has said nothing about. */
  projectOf(token: string): string | null {
    return this.#projectOf.get(token) ?? null;
  }

  learn(tokensByProject: ReadonlyMap<string, readonly string[]>): void {
    for (const [project, tokens] of tokensByProject) {
      for (const token of tokens) {
        // Last in the order of the map, and so the last to be forgotten.
        this.#projectOf.delete(token);
        this.#projectOf.set(token, project);
      }
    }
    for (const token of this.#projectOf.keys()) {
      if (this.#projectOf.size <= MOST) break;
      this.#projectOf.delete(token);
    }
  }
}
