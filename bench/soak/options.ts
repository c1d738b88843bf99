/** The soak's command line. */
import { parseArgs } from 'node:util';

export const FAULT_PARTS = ['redis', 'postgres', 'pod'] as const;
export type FaultPart = (typeof FAULT_PARTS)[number];

export interface Options {
  /** How many periods of load, faults and a comparison there are. */
  readonly periods: number;
  readonly periodMs: number;
  /** Within a period, from the beginning of a fault to its end. */
  readonly outageMs: number;
  /** Requests a second, over all pods. */
  readonly rate: number;
  readonly pods: number;
  readonly faults: readonly FaultPart[];
  readonly seed: number;
  /** Where all figures are written as JSON. */
  readonly file: string | null;
}

export const HELP = [
  'npm run soak -- [options]',
  '',
  '  --minutes N     how many periods of a minute, each with a fault and a comparison (30)',
  '  --period S      seconds of a period (60)',
  '  --rate N        requests a second, over all pods (400)',
  '  --pods N        pods on one Redis and one Postgres (2); the first one is never killed',
  '  --faults LIST   what is broken in turns: some of redis,postgres,pod (all of them)',
  '  --seed N        of the load (1)',
  '  --json FILE     write all figures there',
  '  --smoke         two short periods, to see that it runs',
].join('\n');

/** @returns null when help is wanted. @throws Error that says what was wrong */
export function readOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string' },
      rate: { type: 'string' },
      pods: { type: 'string' },
      period: { type: 'string' },
      faults: { type: 'string' },
      seed: { type: 'string' },
      json: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const { smoke } = values;
  const periodMs = 1000 * whole('--period', values.period, smoke ? 6 : 60, 6, 3600);
  return {
    periods: smoke ? 2 : whole('--minutes', values.minutes, 30, 1, 100_000),
    periodMs,
    outageMs: Math.round(periodMs / 6),
    rate: whole('--rate', values.rate, smoke ? 200 : 400, 10, 5_000),
    pods: whole('--pods', values.pods, 2, 1, 10),
    faults: partsIn(values.faults ?? (smoke ? 'redis' : FAULT_PARTS.join(','))),
    seed: whole('--seed', values.seed, 1, 0, 2 ** 32 - 1),
    file: values.json ?? null,
  };
}

function partsIn(text: string): FaultPart[] {
  return text.split(',').map((name) => {
    const part = FAULT_PARTS.find((known) => known === name);
    if (part === undefined) throw new Error(`--faults must be some of ${FAULT_PARTS.join(',')}`);
    return part;
  });
}

function whole(name: string, text: string | undefined, fallback: number, min: number, max: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Error(`${name} must be a whole number from ${min} to ${max}`);
}
