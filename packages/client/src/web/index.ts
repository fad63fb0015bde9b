export { createPush } from './create-push.ts';
export type { PushOptions } from './page-push.ts';
export { selfCheck } from './self-check.ts';
export type { PagePush, Push } from './push.ts';
export type { Unsupported } from './support.ts';
export type { Permission } from '../core/ports.ts';
export type * from '../core/push-client.ts';
export type { UserProof } from '../core/push-client-options.ts';
