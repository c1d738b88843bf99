/** The command line of the market bench. */
import { parseArgs } from 'node:util';
import type { MarketSize } from './market.ts';

const FULL = { campaigns: 60, days: 3, seed: 1, moreSeeds: 3 };
const SMOKE = { campaigns: 12, days: 1, seed: 1, moreSeeds: 0 };

export interface Options {
  readonly size: MarketSize;
  /** Markets of the following seeds in which the product's own levers are run too. */
  readonly moreSeeds: number;
  readonly smoke: boolean;
  /** Whether this is the run that the document shows. */
  readonly documented: boolean;
}

export const helpText = [
  'node build/bench/market/run.js [options]',
  '',
  'Compares pacing levers by CPM at about equal spend in a simulated first-price market.',
  'A run with no options writes docs/pacing/market.md and market.svg; another only prints.',
  '',
  `  --smoke            a tiny market, to see that it runs; judges overspend only`,
  `  --campaigns N      campaigns in the market (${FULL.campaigns})`,
  `  --days N           days (${FULL.days})`,
  `  --seed N           seed of everything random (${FULL.seed})`,
  '  --help             this text',
].join('\n');

/** @returns null when help is wanted. @throws Error that says what was wrong */
export function readOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      smoke: { type: 'boolean', default: false },
      campaigns: { type: 'string' },
      days: { type: 'string' },
      seed: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const base = values.smoke ? SMOKE : FULL;
  return {
    size: {
      campaigns: wholeNumber('--campaigns', values.campaigns, base.campaigns, 1000),
      days: wholeNumber('--days', values.days, base.days, 14),
      seed: wholeNumber('--seed', values.seed, base.seed, 1_000_000),
    },
    moreSeeds: base.moreSeeds,
    smoke: values.smoke,
    documented: args.length === 0,
  };
}

function wholeNumber(name: string, text: string | undefined, fallback: number, max: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new Error(`${name} must be a whole number from 1 to ${max}`);
}
