/**
 * Tells the wall-clock time. Injected, so that tests can move time; never used to order
 * registrations.
 */
export type Clock = () => Date;
