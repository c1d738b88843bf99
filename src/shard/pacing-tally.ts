/** What an account has seen since its last pacing tick; the tick reads and resets it. */
export interface TickTally {
  steadyMs: number;
  /** When the last bid, spend or change was seen. */
  touchedMs: number;
  wins: number;
  spendMicros: number;
  allowedMicros: number;
  /** The lanes' sums at the last tick. */
  asks: number;
  askedMicros: number;
}

/** What the last tick came to, for status and gauges. */
export interface Pace {
  passProbability: number;
  /** Micros of bids per second to allow. */
  allowRate: number;
  /** Micros of bids per second asked for. */
  askRate: number;
  /** Spend per allowed micro. */
  winRate: number;
}

export function newTally(steadyMs: number): TickTally {
  return {
    steadyMs,
    touchedMs: steadyMs,
    wins: 0,
    spendMicros: 0,
    allowedMicros: 0,
    asks: 0,
    askedMicros: 0,
  };
}
