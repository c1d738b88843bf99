/** The bench's command line. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { catalogue, scenariosNamed } from './catalogue.ts';
import type { Scenario } from './scenarios/scenario.ts';

const DRIVERS = ['auto', 'autocannon', 'wrk'] as const;
type DriverChoice = (typeof DRIVERS)[number];

export interface Options {
  /** `run` scenarios, `list` them, show the `help`, or `render` the documentation from the kept results. */
  readonly task: 'run' | 'list' | 'help' | 'render';
  readonly scenarios: readonly Scenario[];
  readonly smoke: boolean;
  /** Whether what is measured is kept for docs/performance.md. */
  readonly writeDocs: boolean;
  readonly driver: DriverChoice;
  readonly rounds: number;
  readonly roundSeconds: number;
  readonly warmUpSeconds: number;
  /** The server's entry file, absolute. */
  readonly entry: string;
}

/** A line for each scenario. */
export function listText(): string {
  const width = Math.max(...catalogue.map((scenario) => scenario.name.length));
  return catalogue.map(({ name, describe }) => `  ${name.padEnd(width)}  ${describe}`).join('\n');
}

export function helpText(): string {
  return [
    'node build/bench/run.js [options] [scenario…]',
    '',
    '  --smoke            every scenario on tiny inputs, to see that it runs; judges no figure',
    '  --driver NAME      auto (wrk where it is installed, else autocannon), autocannon or wrk',
    '  --rounds N         rounds of each comparison (5)',
    '  --seconds N        length of each run in a round (4)',
    '  --server FILE      entry file of the server to measure (dist/main.js)',
    '  --write-docs       keep the results in docs/performance/ and fill docs/performance.md from them',
    '  --render-docs      only fill docs/performance.md from the results that are kept',
    '  --list             the scenarios',
    '',
    'Scenarios (the first word of several, such as "spends", selects them all):',
    listText(),
  ].join('\n');
}

/** @throws Error that says what was wrong */
export function readOptions(args: readonly string[], root: string): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      smoke: { type: 'boolean', default: false },
      driver: { type: 'string', default: 'auto' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      server: { type: 'string', default: resolve(root, 'dist/main.js') },
      'write-docs': { type: 'boolean', default: false },
      'render-docs': { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const driver = DRIVERS.find((known) => known === values.driver);
  if (driver === undefined) throw new Error(`--driver must be one of ${DRIVERS.join(', ')}`);
  const { smoke, 'write-docs': writeDocs } = values;
  if (smoke && writeDocs)
    throw new Error('--write-docs keeps no figures of a --smoke run: they mean nothing');
  return {
    task: values.help ? 'help' : values.list ? 'list' : values['render-docs'] ? 'render' : 'run',
    writeDocs,
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
