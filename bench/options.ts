/** The bench's command line. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { catalogue, scenariosNamed } from './catalogue.ts';
import type { Scenario } from './scenarios/scenario.ts';

const DRIVERS = ['auto', 'autocannon', 'wrk'] as const;
type DriverChoice = (typeof DRIVERS)[number];

export interface Options {
  readonly scenarios: readonly Scenario[];
  readonly smoke: boolean;
  readonly driver: DriverChoice;
  readonly rounds: number;
  readonly roundSeconds: number;
  readonly warmUpSeconds: number;
  /** The server's entry file, absolute. */
  readonly entry: string;
}

export function helpText(): string {
  const width = Math.max(...catalogue.map((scenario) => scenario.name.length));
  const scenarios = catalogue.map(({ name, describe }) => `  ${name.padEnd(width)}  ${describe}`);
  return [
    'node build/bench/run.js [options] [scenario…]',
    '',
    '  --smoke            every scenario on tiny inputs, to see that it runs; judges no figure',
    '  --driver NAME      auto (wrk where it is installed, else autocannon), autocannon or wrk',
    '  --rounds N         rounds of each comparison (5)',
    '  --seconds N        length of each run in a round (4)',
    '  --server FILE      entry file of the server to measure (dist/main.js)',
    '',
    'Scenarios (the first word of several, such as "spends", selects them all):',
    ...scenarios,
  ].join('\n');
}

/** @returns null when help is wanted. @throws Error that says what was wrong */
export function readOptions(args: readonly string[], root: string): Options | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      smoke: { type: 'boolean', default: false },
      driver: { type: 'string', default: 'auto' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      server: { type: 'string', default: resolve(root, 'dist/main.js') },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const driver = DRIVERS.find((known) => known === values.driver);
  if (driver === undefined) throw new Error(`--driver must be one of ${DRIVERS.join(', ')}`);
  const { smoke } = values;
  return {
    scenarios: scenariosNamed(positionals),
    smoke,
    driver,
    rounds: positive('--rounds', values.rounds, smoke ? 1 : 5),
    roundSeconds: positive('--seconds', values.seconds, smoke ? 1 : 4),
    warmUpSeconds: smoke ? 0 : 2,
    entry: resolve(values.server),
  };
}

function positive(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 1000) return value;
  throw new Error(`${name} must be a whole number from 1 to 1000`);
}
