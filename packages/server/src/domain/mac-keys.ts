/**
 * Keys of a digest that is made now and recognised later: the first makes it, and what any of them
 * made is recognised, because the master key behind them may have been replaced in between.
 */
export type MacKeys = readonly [Buffer, ...Buffer[]];
