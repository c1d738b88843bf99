/**
 * The pod's health in shared memory, so that any thread can answer for the whole. Written by the supervisor
 * (phase, threads) and the management thread (Postgres, campaigns loaded); read by edges and management.
 */

const PHASE = 0;
const THREADS_DOWN = 1;
const POSTGRES_UP = 2;
const CAMPAIGNS_LOADED = 3;
const FIELDS = 4;

/** The phase is 0 while the pod starts. */
export const PHASE_SERVING = 1;
export const PHASE_STOPPING = 2;

export interface PodStateMemory {
  readonly fields: SharedArrayBuffer;
  /** When the pod started, ms since the epoch. */
  readonly startedAtMs: number;
}

export function allocatePodState(startedAtMs: number): PodStateMemory {
  return { fields: new SharedArrayBuffer(FIELDS * 4), startedAtMs };
}

export class PodState {
  readonly startedAtMs: number;
  private readonly fields: Int32Array;

  constructor(memory: PodStateMemory) {
    this.startedAtMs = memory.startedAtMs;
    this.fields = new Int32Array(memory.fields);
  }

  get phase(): number {
    return Atomics.load(this.fields, PHASE);
  }
  set phase(phase: number) {
    Atomics.store(this.fields, PHASE, phase);
  }

  get threadsDown(): number {
    return Atomics.load(this.fields, THREADS_DOWN);
  }
  set threadsDown(count: number) {
    Atomics.store(this.fields, THREADS_DOWN, count);
  }

  get postgresUp(): boolean {
    return Atomics.load(this.fields, POSTGRES_UP) === 1;
  }
  set postgresUp(up: boolean) {
    Atomics.store(this.fields, POSTGRES_UP, up ? 1 : 0);
  }

  get campaignsLoaded(): boolean {
    return Atomics.load(this.fields, CAMPAIGNS_LOADED) === 1;
  }
  set campaignsLoaded(loaded: boolean) {
    Atomics.store(this.fields, CAMPAIGNS_LOADED, loaded ? 1 : 0);
  }

  /** Every thread runs and the campaigns stand on the table. */
  get ready(): boolean {
    return this.phase === PHASE_SERVING && this.threadsDown === 0 && this.campaignsLoaded;
  }
}
