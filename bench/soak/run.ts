/**
 * The soak's entry: a fleet on a real Redis and a real Postgres under mixed load for minutes or hours, while Redis,
 * Postgres and a pod are stopped and killed in turns. Prints a line a minute, ends with a verdict; exit code 1 when money
 * was lost, counted twice or overspent, a request was answered as it must not be, or memory or descriptors grow.
 */
import { writeFile } from 'node:fs/promises';
import { ROOT } from '../../test/support/repository.ts';
import { describeMachine } from '../report/machine.ts';
import { HELP, readOptions } from './options.ts';
import { isGood, type PeriodRecord, periodLine, verdictOf, verdictText } from './report.ts';
import { Soak } from './soak.ts';

/** Agreement that took longer is told with who came last. */
const LATE_MS = 10_000;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === null) {
    say(HELP);
    return;
  }
  let isInterrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      isInterrupted = true;
      say('interrupted: the soak ends with this period');
    });
  }
  const machine = describeMachine(ROOT);
  say(`${machine.cores} cores, ${machine.cpuModel}, node ${machine.node}, commit ${machine.commit}`);
  const startedAt = new Date();
  const records: PeriodRecord[] = [];
  const soak = await Soak.start(options);
  const keep = async (): Promise<void> => {
    const figures = { startedAt, machine, options, verdict: verdictOf(records), records, log: soak.log };
    if (options.file !== null) await writeFile(options.file, `${JSON.stringify(figures, null, 1)}\n`);
  };
  try {
    while (records.length < options.periods && !isInterrupted) {
      const record = await soak.period();
      records.push(record);
      say(periodLine(record));
      for (const what of [
        ...record.comparison.differences,
        ...record.comparison.overspent,
        ...record.problems,
        ...(record.comparison.agreedAfterMs > LATE_MS
          ? record.comparison.lastToAgree.map((what) => `late: ${what}`)
          : []),
      ]) {
        say(`      ${what}`);
      }
      await keep();
      // What differs once differs for ever.
      if (!isGood(record) && record.comparison.differences.length > 0) break;
    }
  } finally {
    await soak.close();
  }
  await keep();
  const verdict = verdictOf(records);
  say(verdictText(verdict));
  process.exitCode = verdict.failures.length > 0 ? 1 : isInterrupted ? 130 : 0;
}

main().catch((error: unknown) => {
  process.stderr.write(`soak: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
