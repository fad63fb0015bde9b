/** Something that sends pushes as fast as it can, in a process of its own that ends with it. */
export interface Sender {
  /** Sends so many, and throws when one of them was not taken. */
  run(count: number): Promise<void>;
}

/** Where to, and how. */
export interface SenderTarget {
  /** `https://HOST:PORT`. */
  readonly url: string;
  /** What stands before the token in the path of an APNs push. */
  readonly path: string;
  /** The certificate to trust, in PEM. */
  readonly authorityPem: string;
  /** The private key of APNs' provider tokens, in PEM, for who signs them himself. */
  readonly apnsKeyPem: string;
  /** How many requests are under way at once on the one connection. */
  readonly streams: number;
}
