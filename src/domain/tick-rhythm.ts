/**
 * How often a campaign's controller has its turn. A campaign that is asked for seldom teaches it next to nothing in a
 * second: it has a fifth of the turns, which a pod with a hundred thousand of them is spared, and paces as well (the
 * few-win scenarios of bench/pacing have this rhythm). What guards the budget waits for no turn, and a spend brings one.
 */

export const TICK_MS = 1000;
export const SELDOM_TICK_MS = 5000;
const SELDOM_ASKS_A_SECOND = 4;

/** Whether the next turn may come {@link SELDOM_TICK_MS} after this one, given the asks since the one before. */
export function isAskedSeldom(asks: number, elapsedSeconds: number): boolean {
  return asks < SELDOM_ASKS_A_SECOND * elapsedSeconds;
}
