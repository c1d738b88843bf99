/** What a pod takes of its machine, sampled all the time: memory, file descriptors, the worst lag of its threads. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseMetrics, sumOf } from '../../test/support/pod-http.ts';
import { cpuBetween, readCpu } from '../report/cpu-time.ts';
import { residentMemory } from '../report/resident-memory.ts';
import type { PodLine } from './pod-line.ts';

const EVERY_MS = 2_000;

export interface Period {
  /** Means of the samples. */
  readonly residentMb: number;
  readonly anonymousMb: number;
  readonly descriptorsMax: number;
  readonly lagMsMax: number;
  /** Seconds of CPU in a second. */
  readonly cpuShare: number;
  readonly ledgerMb: number;
  /** As /metrics has it, since the pod was started. */
  readonly overspentCents: number;
  readonly lateWinCents: number;
  readonly uncheckedEvents: number;
}

interface Sample {
  readonly residentMb: number;
  readonly anonymousMb: number;
  readonly descriptors: number;
}

export class Gauges {
  readonly #line: PodLine;
  readonly #timer: NodeJS.Timeout;
  #samples: Sample[] = [];
  #lagMsMax = 0;
  #metrics: ReadonlyMap<string, number> = new Map();
  #cpu: { readonly pid: number; readonly reading: Awaited<ReturnType<typeof readCpu>> } | null = null;

  constructor(line: PodLine) {
    this.#line = line;
    this.#timer = setInterval(() => void this.#sample(), EVERY_MS);
  }

  /** What was seen since it was last asked. */
  async take(): Promise<Period> {
    await this.#sample();
    const samples = this.#samples;
    this.#samples = [];
    const lagMsMax = this.#lagMsMax;
    this.#lagMsMax = 0;
    const mean = (of: (sample: Sample) => number): number =>
      samples.reduce((sum, sample) => sum + of(sample), 0) / Math.max(1, samples.length);
    const metrics = this.#metrics;
    return {
      residentMb: mean(({ residentMb }) => residentMb),
      anonymousMb: mean(({ anonymousMb }) => anonymousMb),
      descriptorsMax: Math.max(0, ...samples.map(({ descriptors }) => descriptors)),
      lagMsMax,
      cpuShare: await this.#cpuShare(),
      ledgerMb: await sizeMb(join(this.#line.pod.dataDir, 'ledger', 'data.mdb')),
      overspentCents: sumOf(metrics, 'pacer_overspend_cents_total'),
      lateWinCents: sumOf(metrics, 'pacer_late_win_cents_total'),
      uncheckedEvents: sumOf(metrics, 'pacer_spend_unchecked_total'),
    };
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** A pod that is away is not sampled. */
  async #sample(): Promise<void> {
    const { pid } = this.#line.pod;
    if (this.#line.isAway || pid === 0) return;
    try {
      const [memory, descriptors] = await Promise.all([residentMemory(pid), readdir(`/proc/${pid}/fd`)]);
      this.#samples.push({
        residentMb: memory.residentMb,
        anonymousMb: memory.anonymousMb ?? memory.residentMb,
        descriptors: descriptors.length,
      });
    } catch {
      return; // it ended in between
    }
    const reply = await this.#line.core('GET', '/metrics');
    if (reply?.status !== 200) return;
    this.#metrics = parseMetrics(reply.text);
    for (const [series, value] of this.#metrics) {
      if (series.startsWith('pacer_event_loop_lag_seconds'))
        this.#lagMsMax = Math.max(this.#lagMsMax, value * 1000);
    }
  }

  /** Zero for a pod that was started since. */
  async #cpuShare(): Promise<number> {
    const { pid } = this.#line.pod;
    const before = this.#cpu;
    this.#cpu = { pid, reading: await readCpu([pid]).catch(() => null) };
    const { reading } = this.#cpu;
    if (before?.pid !== pid || before.reading === null || reading === null) return 0;
    const seconds = (reading.atNanos - before.reading.atNanos) / 1e9;
    return (cpuBetween(before.reading, reading)?.serverSeconds ?? 0) / seconds;
  }
}

async function sizeMb(path: string): Promise<number> {
  return stat(path).then(
    ({ blocks }) => (blocks * 512) / 2 ** 20,
    () => 0,
  );
}
