export { createPushWorker } from './push-worker.ts';
export type { PushWorker } from './push-worker.ts';
