/** What a campaign has seen since its last pacing tick; the tick reads it and begins it anew. */
export class TickTally {
  /** When the last tick was. */
  steadyMs: number;
  allowedMicros = 0;
  wins = 0;
  spendMicros = 0;
  /** Wins whose bid had an id, so that the time from decision to notice is known, and the sum of those times. */
  delayWins = 0;
  delayMs = 0;

  constructor(steadyMs: number) {
    this.steadyMs = steadyMs;
  }

  /** Mean time from the decision to its win notice, s; NaN when none is known. */
  get meanDelaySeconds(): number {
    return this.delayMs / 1000 / this.delayWins;
  }

  begin(steadyMs: number): void {
    this.steadyMs = steadyMs;
    this.allowedMicros = this.wins = this.spendMicros = this.delayWins = this.delayMs = 0;
  }
}
