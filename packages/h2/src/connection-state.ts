/**
 * - `connecting`: until the peer's first SETTINGS: only they tell how many streams it takes.
 * - `open`: takes requests while `room` is positive.
 * - `draining`: after GOAWAY, `drain()` or old age; answers still come, nothing new is taken.
 * - `closed`: the socket is gone and every request has its result.
 */
export type ConnectionState = 'connecting' | 'open' | 'draining' | 'closed';
