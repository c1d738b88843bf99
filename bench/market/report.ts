/** The market bench's figures as tables: for a terminal and for the document. */
import { fixed, whole } from '../report/table.ts';
import { outcomeOf } from './checks.ts';
import { bidCap, multiplier, throttle } from './levers/controlled.ts';
import { cpmOf, type Outcome } from './market-run.ts';

export const COLUMNS = [
  'lever',
  'gate',
  'spend $',
  'overspent $',
  'ended > 30 min early',
  'impressions won',
  'CPM $',
  'value per $',
] as const;

export const SEED_COLUMNS = [
  'seed',
  'THROTTLE spend $',
  'BID spend $',
  'THROTTLE CPM $',
  'multiplier CPM $',
  'BID CPM $',
  'ended > 30 min early',
] as const;

/** The outcomes of one seed's market. */
export interface SeedOutcomes {
  readonly seed: number;
  readonly outcomes: readonly Outcome[];
}

export function outcomeCells(outcome: Outcome): string[] {
  return [
    outcome.lever.title,
    outcome.gate,
    dollars(outcome.spentMicros),
    fixed(outcome.overspentMicros / 1e6, outcome.overspentMicros > 0 ? 2 : 0),
    earlyCell([outcome]),
    whole(outcome.impressions),
    fixed(cpmOf(outcome), 1),
    fixed(outcome.valueMicros / outcome.spentMicros, 2),
  ];
}

/** How the product's levers fare in the market of one seed. */
export function seedCells({ seed, outcomes }: SeedOutcomes): string[] {
  const throttled = outcomeOf(outcomes, throttle);
  const multiplied = outcomeOf(outcomes, multiplier);
  const capped = outcomeOf(outcomes, bidCap);
  return [
    String(seed),
    dollars(throttled.spentMicros),
    dollars(capped.spentMicros),
    ...[throttled, multiplied, capped].map((outcome) => fixed(cpmOf(outcome), 1)),
    earlyCell([throttled, multiplied, capped]),
  ];
}

/** Campaign-days that ended early of all, and how many of them one win ended. */
function earlyCell(outcomes: readonly Outcome[]): string {
  const sum = (count: (outcome: Outcome) => number): number =>
    outcomes.reduce((total, outcome) => total + count(outcome), 0);
  const early = sum((outcome) => outcome.daysEndedEarly);
  const byOneWin = sum((outcome) => outcome.daysEndedByOneWin);
  const note = byOneWin > 0 ? ` (${byOneWin} by one win)` : '';
  return `${early}/${sum((outcome) => outcome.campaignDays)}${note}`;
}

/** A GitHub table; columns of numbers to the right. */
export function markdownTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = columns.map((_, at) => (/^\d/.test(rows[0]?.[at] ?? '') ? '--:' : '---'));
  return [columns, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function dollars(micros: number): string {
  return whole(micros / 1e6);
}
