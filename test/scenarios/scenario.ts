import { after, test } from 'node:test';
import { startNetwork, type NetworkOptions } from '../network.ts';
import { Scene } from './scene.ts';

/**
 * Registers one numbered case as a test. Its title begins with the number, and `catalogue.ts` says
 * which file has which; each gets an app of its own, so that cases do not meet.
 */
export type Scenario = (title: string, play: (scene: Scene) => Promise<void>) => void;

export interface ScenarioOptions extends NetworkOptions {
  /** With how many server processes each case is played; by default with one, and with two. */
  readonly forms?: readonly number[];
}

/**
 * Boots what the scenarios of a file share. With two server processes the requests of a case go to
 * them in turn, so that a server that trusts its memory is found out.
 */
export async function openScenarios(options: ScenarioOptions = {}): Promise<Scenario> {
  const { forms = [1, 2], ...networkOptions } = options;
  const networks = await Promise.all(
    forms.map(async (processes) => {
      const network = await startNetwork({ ...networkOptions, processes });
      after(() => network[Symbol.asyncDispose]());
      return { network, place: processes === 1 ? '' : `, with ${processes} servers` };
    }),
  );
  return (title, play) => {
    for (const { network, place } of networks) {
      test(`${title}${place}`, async () => {
        // Phones of earlier cases used up enrolments of the one address that all of them share.
        await network.clock.advance(600_000);
        await play(new Scene(network, await network.provision()));
      });
    }
  };
}
