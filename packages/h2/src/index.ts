export type {
  Http2Answer,
  Http2NoAnswer,
  Http2NotStarted,
  Http2Request,
  Http2RequestOptions,
  Http2Result,
  NotStartedCause,
} from './exchange.ts';
export { fieldValue } from './exchange.ts';
export type { HeaderField } from './hpack/header-field.ts';
export { Http2Pool } from './pool.ts';
export type { Http2PoolOptions } from './pool.ts';
export { RequestShape } from './request-shape.ts';
export type { RequestShapeOptions } from './request-shape.ts';
