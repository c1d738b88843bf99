/** The micro-benchmarks, each beside what the machine asks for the same (bench/micro). */
import { type MicroFigures, measureApart } from '../micro/micro.ts';
import { microBenchmarks } from '../micro/micro-benchmarks.ts';
import { fixed } from '../report/table.ts';
import type { Bench, Report, Scenario } from './scenario.ts';

/** Samples for each round asked for. */
const SAMPLES_A_ROUND = 40;
const SMOKE_SAMPLES = 2;

export const microScenario: Scenario = {
  name: 'micro',
  describe: 'decide, table, controller tick and ledger commit, each in a process of its own',
  async run(bench: Bench): Promise<Report> {
    const samples = bench.smoke ? SMOKE_SAMPLES : SAMPLES_A_ROUND * bench.rounds;
    const found: MicroFigures[] = [];
    const measured = async (name: string): Promise<MicroFigures> => {
      const folder = await bench.workshop.subfolder('micro');
      return measureApart({ name, folder, samples }, bench.workshop.signal);
    };
    if (bench.smoke) found.push(...(await Promise.all(microBenchmarks.map(({ name }) => measured(name)))));
    else for (const { name } of microBenchmarks) found.push(await measured(name));
    return report(found);
  },
};

function report(found: readonly MicroFigures[]): Report {
  return {
    title: `${microScenario.name}: ${microScenario.describe} (medians of ${found[0]?.samples ?? 0} samples)`,
    columns: ['what', 'time each', 'least', 'most', 'a second', 'measured'],
    rows: found.map(({ name, nanosEach }) => {
      const { median, min, max } = nanosEach;
      const describe = microBenchmarks.find((each) => each.name === name)?.describe ?? '';
      const perSecond = Math.round(1e9 / median).toLocaleString('en-US');
      return [name, timeText(median), timeText(min), timeText(max), perSecond, describe];
    }),
    notes: [],
    problems: [],
    figures: { found },
  };
}

function timeText(nanos: number): string {
  if (nanos < 1000) return `${fixed(nanos, nanos < 100 ? 1 : 0)} ns`;
  return nanos < 1e6 ? `${fixed(nanos / 1e3, 2)} µs` : `${fixed(nanos / 1e6, 2)} ms`;
}
