/** How the app's own server vouches for a user. */
export type UserProof =
  /** Fetched anew for every packet that names a user, shortly before it is sent. May reject. */
  | { readonly assertion: (installationId: string) => Promise<string> }
  | { readonly signature: string }
  /** For apps whose identity is off. */
  | Readonly<Record<string, never>>;

export interface PushClientOptions {
  /** The app's publishable key. */
  readonly key: string;
  readonly sdkVersion: string;
  /** Whether several users may be signed in at a time, as the app is set up; default one. */
  readonly accounts?: 'one' | 'several';
  /** Says on the console what a developer should know; default false. */
  readonly development?: boolean;
}
