import { selfCheck as selfCheckOf } from '../core/self-check.ts';
import type { SelfCheck } from '../core/push-client.ts';
import type { PagePush } from './push.ts';

/** Asks the server what it holds; null when it did not answer, or where push is not supported. */
export async function selfCheck({ engine }: PagePush): Promise<SelfCheck | null> {
  return engine && selfCheckOf(engine);
}
