/** How a load generator works: the same for the reference and for ours. */
export interface Load {
  readonly connections: number;
  readonly seconds: number;
  /** Ends the generator at once. */
  readonly interruption: AbortSignal;
}
