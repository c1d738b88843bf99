/** What a campaign has seen since its last pacing tick; the tick reads it and begins it anew. */

export interface TickTally {
  /** When the last tick was, steady ms. */
  tickedMs: number;
  allowedMicros: number;
  wins: number;
  spendMicros: number;
  /** Wins whose bid had an id, so that the time from decision to notice is known, and the sum of those times. */
  delayWins: number;
  delayMs: number;
}

/** Of no tick yet. */
export const NEW_TALLY: Readonly<TickTally> = {
  tickedMs: 0,
  allowedMicros: 0,
  wins: 0,
  spendMicros: 0,
  delayWins: 0,
  delayMs: 0,
};

/** Mean time from the decision to its win notice, s; NaN when none is known. */
export function meanDelaySeconds(tally: TickTally): number {
  return tally.delayMs / 1000 / tally.delayWins;
}

export function beginTally(tally: TickTally, steadyMs: number): void {
  tally.tickedMs = steadyMs;
  tally.allowedMicros = tally.wins = tally.spendMicros = tally.delayWins = tally.delayMs = 0;
}
