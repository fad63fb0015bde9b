import type { Drawing } from './push-data.ts';

/** How an app draws notifications itself. */
export interface Painter {
  /** Rejects where the system does not let it. */
  draw(drawing: Drawing): Promise<void>;
  /** Takes all notifications of this app away, and the number off its icon. */
  clear(): Promise<void>;
}

/** Where an app draws notifications: one for the platform and for what receives pushes. */
export interface Screen extends Painter {
  /** How often it was cleared, or began to be. */
  readonly clears: number;
}

/** A screen of an app's own, drawn on by its own painter. */
export function createScreen(painter: Painter): Screen {
  let clears = 0;
  return {
    get clears() {
      return clears;
    },
    draw: (drawing) => painter.draw(drawing),
    clear: () => {
      clears += 1;
      return painter.clear();
    },
  };
}
