/** What every list that goes on answers with. */
export interface PageOf<T> {
  readonly data: readonly T[];
  /** `after` names the page that follows; null at the end. */
  readonly page: { readonly after: string | null };
}

/** How a list is walked through. */
export interface PageSize {
  /** How many come with one request, 1 to 500; all are given, one by one, whatever it is. */
  readonly pageSize?: number;
}

/** Asks for a page at a time, and for the next one when the last is used up. */
export async function* eachOf<T>(
  ask: (after: string | undefined) => Promise<PageOf<T>>,
): AsyncGenerator<T> {
  let { data, page } = await ask(undefined);
  yield* data;
  while (page.after !== null) {
    ({ data, page } = await ask(page.after));
    yield* data;
  }
}
