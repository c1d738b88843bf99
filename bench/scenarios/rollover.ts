/**
 * Whether memory grows from day to day: a shard with its real ledger and table under virtual time, whose campaigns
 * are bid for, won and lost each day and then see midnight. The heap is read after a full collection, in a process
 * of its own, so a difference of a kilobyte shows.
 */
import { type ForkOptions, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { slopeOf } from '../report/statistics.ts';
import { fixed, whole } from '../report/table.ts';
import { type Bench, goalNote, type Report, type Scenario } from './scenario.ts';

const CAMPAIGNS = 1000;
const DAYS = 40;
const SMOKE_CAMPAIGNS = 20;
const SMOKE_DAYS = 2;
/** Of a campaign and a day, over the second half of the days. */
const BYTES_EACH_MAX = 10;
const TIMEOUT_MS = 240_000;

export interface RolloverStart {
  readonly campaigns: number;
  readonly days: number;
}

export interface RolloverDay {
  readonly day: number;
  /** After a full collection. */
  readonly heapMb: number;
  readonly residentMb: number;
  /** How long the shard took for the cycles of the second after midnight, ms, and for the longest of them. */
  readonly midnightMs: number;
  readonly longestMs: number;
}

export const rolloverScenario: Scenario = {
  name: 'rollover',
  describe: `memory of a shard with ${whole(CAMPAIGNS)} campaigns over ${DAYS} days, under virtual time`,
  async run(bench: Bench): Promise<Report> {
    const start: RolloverStart = bench.smoke
      ? { campaigns: SMOKE_CAMPAIGNS, days: SMOKE_DAYS }
      : { campaigns: CAMPAIGNS, days: DAYS };
    return report(bench, start, await daysOf(start, bench.workshop.signal));
  },
};

function daysOf(start: RolloverStart, signal: AbortSignal): Promise<RolloverDay[]> {
  const entry = fileURLToPath(new URL('./rollover-process.js', import.meta.url));
  return new Promise((resolve, reject) => {
    let days: RolloverDay[] | undefined;
    const options: ForkOptions = {
      signal,
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 2, 2, 'ipc'],
    };
    const child = fork(entry, options);
    child.on('message', (message: RolloverDay[]) => {
      days = message;
    });
    child.on('error', reject);
    child.on('exit', (code, killedBy) => {
      if (days !== undefined) resolve(days);
      else reject(new Error(`the days ended (${killedBy ?? code})`));
    });
    child.send(start, (error) => {
      if (error !== null) reject(error);
    });
  });
}

function report(bench: Bench, { campaigns }: RolloverStart, days: readonly RolloverDay[]): Report {
  const later = days.slice(Math.floor(days.length / 2));
  const bytesADay = slopeOf(later.map(({ day, heapMb }) => [day, heapMb] as const)) * 2 ** 20;
  const shown = days.filter(({ day }) => day === 1 || day % 5 === 0 || day === days.length);
  const bytesEach = bytesADay / campaigns;
  return {
    title: `${rolloverScenario.name}: ${rolloverScenario.describe}`,
    columns: ['day', 'heap MB', 'resident MB', 'midnight ms', 'longest cycle ms'],
    rows: shown.map(({ day, heapMb, residentMb, midnightMs, longestMs }) => [
      whole(day),
      fixed(heapMb, 2),
      fixed(residentMb, 0),
      fixed(midnightMs, 1),
      fixed(longestMs, 1),
    ]),
    notes: [
      `slope of the second half: ${fixed(bytesADay, 0)} bytes a day, ${fixed(bytesEach, 1)} for each campaign`,
      ...goalNote(
        bench,
        `no growth: at most ${BYTES_EACH_MAX} bytes a campaign and day`,
        bytesEach <= BYTES_EACH_MAX,
        `${fixed(bytesEach, 1)} bytes`,
      ),
      'midnight ms: the shard’s own time for the 20 cycles of the second in which all days end; what waits for the shard waits for the longest of them',
    ],
    problems: [],
    figures: { days, bytesADay },
  };
}
