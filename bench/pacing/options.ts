/** The command line of the pacing comparison. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { controllers } from './controllers/catalogue.ts';
import type { ControllerKind } from './controllers/controller.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';

const SMOKE_ASKS_PER_SECOND = 2;
/** A smoke day is only an evening, or begins before the noon that changes its budget. */
const SMOKE_START_HOUR = 18;
const SMOKE_START_HOUR_NOON = 10;
const SEEDS_MAX = 1000;

export interface Options {
  readonly scenarios: readonly Scenario[];
  readonly controllers: readonly ControllerKind[];
  readonly smoke: boolean;
  /** Everything that the comparison has, so that it may replace what the docs show. */
  readonly whole: boolean;
  /** Where results and plots go; null: nowhere. */
  readonly outFolder: string | null;
}

export function helpText(): string {
  const named = (all: readonly { readonly name: string }[], of: (index: number) => string): string[] => {
    const width = Math.max(...all.map(({ name }) => name.length));
    return all.map(({ name }, index) => `  ${name.padEnd(width)}  ${of(index)}`);
  };
  return [
    'node build/bench/pacing/run.js [options]',
    '',
    'Simulates campaign days for every scenario and controller; ends with 1 when ours misses a limit.',
    '',
    '  --smoke            every scenario on tiny inputs, to see that it runs; judges only overspend',
    '  --scenario NAME    only this scenario; may be given several times',
    '  --controller NAME  only this controller; may be given several times',
    '  --seeds N          days per scenario (4; 2 for thousands of asks per second, 144 for few wins)',
    '  --out FOLDER       where results.md and the plots go (docs/pacing for a whole run, else nowhere)',
    '',
    'Scenarios:',
    ...named(scenarios, (index) => scenarios[index]?.describe ?? ''),
    '',
    'Controllers:',
    ...named(controllers, (index) => controllers[index]?.label ?? ''),
  ].join('\n');
}

/** @returns null when help is wanted. @throws Error that says what was wrong */
export function readOptions(args: readonly string[], root: string): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      smoke: { type: 'boolean', default: false },
      scenario: { type: 'string', multiple: true, default: [] },
      controller: { type: 'string', multiple: true, default: [] },
      seeds: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const { smoke, out } = values;
  const seeds = values.seeds === undefined ? null : countOf('--seeds', values.seeds);
  const chosen = pick('scenario', scenarios, values.scenario);
  const whole = !smoke && seeds === null && values.scenario.length + values.controller.length === 0;
  const docs = whole ? resolve(root, 'docs/pacing') : null;
  return {
    scenarios: chosen.map((of) => (smoke ? tiny(of) : { ...of, seeds: seeds ?? of.seeds })),
    controllers: pick('controller', controllers, values.controller),
    smoke,
    whole,
    outFolder: out === undefined ? docs : resolve(out),
  };
}

/** The end of the same day with fewer asks; where bids have a given size, with a budget to match. */
function tiny(of: Scenario): Scenario {
  const asksPerSecond = Math.min(of.asksPerSecond, SMOKE_ASKS_PER_SECOND);
  const scale = of.baseBidMicros === null ? 1 : asksPerSecond / of.asksPerSecond;
  const startHour = of.noonBudget === 1 ? SMOKE_START_HOUR : SMOKE_START_HOUR_NOON;
  return { ...of, asksPerSecond, budgetMicros: Math.round(of.budgetMicros * scale), startHour, seeds: 1 };
}

function pick<T extends { readonly name: string }>(
  noun: string,
  all: readonly T[],
  names: readonly string[],
): readonly T[] {
  if (names.length === 0) return all;
  return names.map((name) => {
    const found = all.find((one) => one.name === name);
    if (found === undefined) throw new Error(`there is no ${noun} "${name}"; --help lists them`);
    return found;
  });
}

function countOf(name: string, text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= SEEDS_MAX) return count;
  throw new Error(`${name} must be a whole number from 1 to ${SEEDS_MAX}`);
}
