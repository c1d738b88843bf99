/** Entry of a micro-benchmark's process: receives one over IPC, runs it, sends its figures and ends. */
import { type MicroStart, measure } from './micro.ts';
import { microBenchmarks } from './micro-benchmarks.ts';

async function run({ name, folder, samples }: MicroStart): Promise<void> {
  const benchmark = microBenchmarks.find((each) => each.name === name);
  if (benchmark === undefined) throw new Error(`there is no micro-benchmark ${name}`);
  const prepared = await benchmark.prepare(folder);
  const figures = await measure(prepared, name, samples);
  await prepared.close?.();
  process.send?.(figures, () => process.exit());
}

process.once('disconnect', () => process.exit());
process.once('message', (start: MicroStart) => {
  run(start).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  });
});
