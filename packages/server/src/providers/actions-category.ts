import type { MessageAction } from '../domain/message.ts';

/**
 * The category under which an iPhone looks for the buttons of a notification: an app that has
 * registered it shows them, every other one shows none (Apple, "Declaring your actionable
 * notification types"). Made of the ids alone, so that an app can know it beforehand.
 */
export function actionsCategory(actions: readonly MessageAction[]): string {
  return `homing.${actions.map(({ id }) => id).join('+')}`;
}
