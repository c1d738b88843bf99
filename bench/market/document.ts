/** Writes docs/pacing/market.md and its plot from the figures of a run; the text says how they were made. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fixed, whole } from '../report/table.ts';
import { outcomeOf } from './checks.ts';
import { bidCap, multiplier, throttle } from './levers/controlled.ts';
import type { Market } from './market.ts';
import { cpmOf, type Outcome } from './market-run.ts';
import { plotSvg } from './plot.ts';
import {
  COLUMNS,
  markdownTable,
  outcomeCells,
  SEED_COLUMNS,
  type SeedOutcomes,
  seedCells,
} from './report.ts';

/** @returns the written files, relative to `root` */
export async function writeDocument(
  root: string,
  market: Market,
  outcomes: readonly Outcome[],
  moreSeeds: readonly SeedOutcomes[],
): Promise<string[]> {
  const folder = join('docs', 'pacing');
  await mkdir(join(root, folder), { recursive: true });
  const { campaigns, days, seed } = market.size;
  const title = `CPM in a first-price market: ${campaigns} campaigns, ${days} days`;
  const files = [
    { path: join(folder, 'market.md'), content: documentText(market, outcomes, moreSeeds) },
    { path: join(folder, 'market.svg'), content: plotSvg(outcomes, `${title}, seed ${seed}`) },
  ];
  for (const { path, content } of files) await writeFile(join(root, path), content);
  return files.map(({ path }) => path);
}

function documentText(
  market: Market,
  outcomes: readonly Outcome[],
  moreSeeds: readonly SeedOutcomes[],
): string {
  return [
    '# Pacing levers in a first-price market',
    '',
    'Made by `npm run bench:market`, which checks what it says; change it there.',
    '',
    markdownTable(COLUMNS, outcomes.map(outcomeCells)),
    '',
    '![CPM of each lever behind the reserving gate](market.svg)',
    '',
    ...findings(outcomes),
    '',
    '## Other seeds',
    '',
    markdownTable(SEED_COLUMNS, moreSeeds.map(seedCells)),
    '',
    ...method(market),
    '',
  ].join('\n');
}

function findings(outcomes: readonly Outcome[]): string[] {
  const throttled = outcomeOf(outcomes, throttle);
  const multiplied = outcomeOf(outcomes, multiplier);
  const capped = outcomeOf(outcomes, bidCap);
  return [
    '## What it says',
    '',
    `- BID wins ${moreOrLess(capped.impressions / throttled.impressions)} impressions than THROTTLE and spends`,
    `  ${moreOrLess(capped.spentMicros / throttled.spentMicros)}: its CPM is ${fixed(cpmOf(capped), 1)} in place of ${fixed(cpmOf(throttled), 1)}.`,
    '- Reservations make overspend impossible, whatever the lever; with `spent < budget` alone, what is in',
    '  flight when the budget runs out is spent on top of it.',
    '- A cap takes the money from the highest bids, so it buys the most impressions. A multiplier keeps the order',
    `  of the bids: its CPM is ${fixed(cpmOf(multiplied), 1)}, but where a bid says what the impression is worth, it buys more worth`,
    `  per dollar: ${fixed(valuePerDollar(multiplied), 2)} against ${fixed(valuePerDollar(capped), 2)}. BID is the lever for buying impressions.`,
  ];
}

function method(market: Market): string[] {
  const { campaigns, days, seed } = market.size;
  const { rivalMicros, offerMicros } = market.impressions;
  const budgets = market.campaigns.map((campaign) => campaign.dailyBudgetMicros / 1e6);
  return [
    '## How it was made',
    '',
    `- ${campaigns} campaigns for ${days} days of virtual time, seed ${seed}, steps of one second. Daily budgets`,
    `  lognormal, ${fixed(Math.min(...budgets), 0)} to ${fixed(Math.max(...budgets), 0)} dollars.`,
    `- ${whole(rivalMicros.length)} impressions, Poisson, 1 + 0.6 cos over the day with the peak at noon, each of`,
    `  one of 20 audience segments. A campaign targets one to four of them: ${whole(offerMicros.length)} offers.`,
    '- A campaign’s bid is lognormal: its own level × the quality of the impression × a taste of its own (sigma',
    '  0.86 in all). The highest outside bid is lognormal too, higher for better impressions.',
    '- First price: the highest bid wins and pays itself. Win notices come after a lognormal delay, p50 2 s, p99',
    '  30 s, at most 120 s. There are no loss notices: a lost bid stays reserved for its TTL of 120 s.',
    '- Every lever meets the same impressions, values, outside bids and delays; campaigns meet each other,',
    '  and in each row all of them use the same lever.',
    '- Gates: *reserving* lets a bid have what is left of budget − spent − reserved, and denies it under one',
    '  micro; *spent < budget* lets it through whole while anything is left.',
    '- Ours are the functions of `src/domain`, driven once a second with an EVEN plan and a cold start, without a',
    '  learned traffic shape. The multiplier is for comparison only: the same outer loop moves it.',
    '- Mystique is the paper’s controller (WWW 2024) with the constants of its authors’ published simulation and',
    '  the linear target, updated once a minute: `bench/market/levers/mystique.ts` has the equations.',
    '- *Ended early*: 99.5% of the day’s budget was spent more than 30 minutes before the plan’s time for it. *By',
    '  one win*: the last of it was a single win that cost more than the plan spends in 30 minutes.',
    '- *Value per $*: what the campaigns would have bid for the impressions they won, over what they paid.',
  ];
}

function valuePerDollar(outcome: Outcome): number {
  return outcome.valueMicros / outcome.spentMicros;
}

/** A ratio as "3.1% more" or "0.6% less". */
function moreOrLess(ratio: number): string {
  const percent = Math.abs(ratio - 1) * 100;
  return `${fixed(percent, percent < 10 ? 1 : 0)}% ${ratio < 1 ? 'less' : 'more'}`;
}
