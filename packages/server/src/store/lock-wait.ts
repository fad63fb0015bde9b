/** What to do about what somebody else holds: wait until it is free, or go on without it. */
export type LockWait = 'wait' | 'skip';
