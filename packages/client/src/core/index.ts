export type * from './ports.ts';
export type * from './push-client.ts';
export type * from './push-client-options.ts';
