/** Something that makes requests to push services, in a process of its own that ends with it. */
export interface Maker {
  /** Makes so many, each for another subscription, and throws when one is not what it should be. */
  make(count: number): Promise<void>;
}

export type MakerName = 'homing' | 'homing, threads' | 'web-push';

export interface MakerRequest {
  readonly count: number;
}

export type MakerWord =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly seconds: number }
  | { readonly kind: 'failed'; readonly why: string };
