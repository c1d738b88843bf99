/**
 * Who used the processors during a run, from Linux' own accounts: the server's threads, and everything that
 * is neither the server, the driver nor the bench. It tells a server that is at its end from one whose
 * driver, or whose neighbours, are. On other systems there is no such account and the report leaves it out.
 */
import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';

const NANOS_A_SECOND = 1e9;
/** Linux reports clock ticks in hundredths of a second on every architecture Node runs on. */
const TICKS_A_SECOND = 100;

interface CpuReading {
  readonly atNanos: number;
  readonly processes: number;
  /** Time on a processor and time waiting for one, nanoseconds, by thread of the server. */
  readonly threads: ReadonlyMap<string, { readonly busy: number; readonly waiting: number }>;
  /** Processor seconds used by the whole machine, by this process and by its children that ended. */
  readonly machineSeconds: number;
  readonly benchSeconds: number;
}

export interface CpuUse {
  /** Processes that the server consists of. */
  readonly processes: number;
  /** Processor time of all the server's threads, seconds. */
  readonly serverSeconds: number;
  /** Of the run's time, for the server's busiest thread: on a processor, and ready but waiting for one. */
  readonly busiestThreadBusy: number;
  readonly busiestThreadWaiting: number;
  /** The same for the next ones, busiest first. */
  readonly otherThreadsBusy: readonly number[];
  /** Processor time of the busiest thread, seconds. */
  readonly busiestThreadSeconds: number;
  /** Processor time of each thread, seconds, by the system's number of it. */
  readonly threadSeconds: Readonly<Record<string, number>>;
  /** Share of the machine that programs outside this bench used. */
  readonly othersShare: number;
}

/** @param pids of the server's processes */
export async function readCpu(pids: readonly number[]): Promise<CpuReading | null> {
  if (process.platform !== 'linux') return null;
  const threads = new Map<string, { busy: number; waiting: number }>();
  for (const pid of pids) {
    for (const thread of await readdir(`/proc/${pid}/task`)) {
      const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '');
      const [busy, waiting] = text.split(' ').map(Number);
      if (busy !== undefined && waiting !== undefined) threads.set(thread, { busy, waiting });
    }
  }
  return {
    atNanos: Number(process.hrtime.bigint()),
    processes: pids.length,
    threads,
    machineSeconds: await machineSeconds(),
    benchSeconds: await benchSeconds(),
  };
}

export function cpuBetween(before: CpuReading | null, after: CpuReading | null): CpuUse | null {
  if (before === null || after === null) return null;
  const wall = after.atNanos - before.atNanos;
  const uses = [...after.threads]
    .map(([thread, { busy, waiting }]) => {
      const earlier = before.threads.get(thread);
      return { thread, busy: busy - (earlier?.busy ?? 0), waiting: waiting - (earlier?.waiting ?? 0) };
    })
    .sort((a, b) => b.busy - a.busy);
  const server = uses.reduce((sum, use) => sum + use.busy, 0) / NANOS_A_SECOND;
  const machine = after.machineSeconds - before.machineSeconds;
  const others = machine - server - (after.benchSeconds - before.benchSeconds);
  return {
    processes: after.processes,
    serverSeconds: server,
    busiestThreadBusy: (uses[0]?.busy ?? 0) / wall,
    busiestThreadWaiting: (uses[0]?.waiting ?? 0) / wall,
    otherThreadsBusy: uses.slice(1, 5).map((use) => Math.round((use.busy / wall) * 1000) / 1000),
    busiestThreadSeconds: (uses[0]?.busy ?? 0) / NANOS_A_SECOND,
    threadSeconds: Object.fromEntries(uses.map(({ thread, busy }) => [thread, busy / NANOS_A_SECOND])),
    othersShare: Math.max(0, others / ((wall / NANOS_A_SECOND) * availableParallelism())),
  };
}

/** user, nice, system, irq, softirq and steal of /proc/stat's first line. */
async function machineSeconds(): Promise<number> {
  const [first] = (await readFile('/proc/stat', 'utf8')).split('\n', 1);
  const ticks = (first ?? '').split(/\s+/).slice(1).map(Number);
  const busy = [0, 1, 2, 5, 6, 7].reduce((sum, at) => sum + (ticks[at] ?? 0), 0);
  return busy / TICKS_A_SECOND;
}

/** This process and its children that have ended: a driver is one of them when its run is over. */
async function benchSeconds(): Promise<number> {
  const text = await readFile('/proc/self/stat', 'utf8');
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  // utime, stime, cutime, cstime are fields 14 to 17; the first here is field 3.
  return [11, 12, 13, 14].reduce((sum, at) => sum + (fields[at] ?? 0), 0) / TICKS_A_SECOND;
}
