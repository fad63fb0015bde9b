import type { Drawing } from './push-data.ts';

/** Where an app draws notifications itself. */
export interface Screen {
  /** Rejects where the system does not let it. */
  draw(drawing: Drawing): Promise<void>;
  /** Takes all notifications of this app away, and the number off its icon. */
  clear(): Promise<void>;
}
