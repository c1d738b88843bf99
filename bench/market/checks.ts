/** What the product's levers must keep in every market; each broken rule is a sentence that names the figures. */
import { bidCap, multiplier, throttle } from './levers/controlled.ts';
import type { Lever } from './levers/lever.ts';
import { cpmOf, type Outcome } from './market-run.ts';

/** CPMs are compared at spends that differ by no more than this share. */
const SPEND_DIFFERENCE_MAX = 0.02;

/** Money: no market, however small, may overspend. */
export function overspendProblems(outcomes: readonly Outcome[]): string[] {
  return outcomes
    .filter((outcome) => outcome.lever.ours && outcome.overspentMicros > 0)
    .map((outcome) => `${outcome.lever.title} overspent ${outcome.overspentMicros} micros`);
}

/**
 * Pacing and price: a day that one win ended is not the pacing's fault. Both need enough campaigns and days to be told from chance.
 */
export function leverProblems(outcomes: readonly Outcome[]): string[] {
  const problems = outcomes
    .filter((outcome) => outcome.lever.ours && outcome.daysEndedEarly > outcome.daysEndedByOneWin)
    .map(
      ({ lever, daysEndedEarly, daysEndedByOneWin, campaignDays }) =>
        `${lever.title} ended ${daysEndedEarly} of ${campaignDays} campaign-days more than 30 minutes early, ` +
        `${daysEndedByOneWin} of them by one win`,
    );
  const throttled = outcomeOf(outcomes, throttle);
  const capped = outcomeOf(outcomes, bidCap);
  const difference = Math.abs(capped.spentMicros / throttled.spentMicros - 1);
  if (!(difference <= SPEND_DIFFERENCE_MAX)) {
    problems.push(
      `${bidCap.title} spent ${(100 * difference).toFixed(1)}% off ${throttle.title}: no equal spend`,
    );
  }
  for (const other of [throttled, outcomeOf(outcomes, multiplier)]) {
    if (cpmOf(capped) < cpmOf(other)) continue;
    problems.push(
      `${bidCap.title} has a CPM of ${cpmOf(capped).toFixed(2)}, ${other.lever.title} ${cpmOf(other).toFixed(2)}`,
    );
  }
  return problems;
}

/** The outcome of a lever behind the reserving gate. */
export function outcomeOf(outcomes: readonly Outcome[], lever: Lever): Outcome {
  const found = outcomes.find((outcome) => outcome.lever === lever && outcome.gate === 'reserving');
  if (found === undefined) throw new Error(`${lever.name} was not run`);
  return found;
}
