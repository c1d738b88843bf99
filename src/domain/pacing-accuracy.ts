/**
 * How near spend came to its plan, from 0 to 1: the lesser of the two over the greater one, which is
 * 1 − |spent − planned| / max(spent, planned). Half as much and twice as much as planned are both 0.5.
 */
const STEPS = 10_000;

/** @returns null when nothing was planned and nothing was spent */
export function pacingAccuracy(spentMicros: number, plannedMicros: number): number | null {
  const greater = Math.max(spentMicros, plannedMicros);
  if (!(greater > 0)) return null;
  return Math.round((STEPS * Math.max(0, Math.min(spentMicros, plannedMicros))) / greater) / STEPS;
}
