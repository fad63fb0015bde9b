/** A tab that a test drives, whichever browser it is in. */
export interface Tab {
  /** Resolves when the page has loaded. */
  navigate(url: string): Promise<void>;
  /**
   * What an expression comes to in the page, awaited there, as if the person had just clicked. It
   * must be text. Rejects where the expression throws.
   */
  evaluate(expression: string): Promise<string>;
  close(): Promise<void>;
}
