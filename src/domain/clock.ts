/** The two clocks, read once for each turn of the duty cycle and handed down. */
export interface Clock {
  /** ms since the epoch; decides days, hours, flights. */
  readonly wallMs: number;
  /** Monotonic ms; decides how long a reservation holds. */
  readonly steadyMs: number;
}
