export { createPushClient } from './create-push-client.ts';
export type * from './ports.ts';
export type * from './push-client.ts';
export type * from './push-client-options.ts';
