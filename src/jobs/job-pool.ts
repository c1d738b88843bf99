/**
 * Jobs that would block whoever runs them, learning and simulations, in a thread of their own. Bounded: one job at a
 * time, a short queue, a time and a heap for each; and on Linux the thread is nice, so that beside decisions it gets
 * what they leave. A job that breaks its bounds costs its thread, which is made anew, and nothing else.
 */
import { Piscina } from 'piscina';
import { AppError, type ErrorCode } from '../domain/app-error.ts';
import type { LearnedShape } from '../sinks/postgres/learned-shape-store.ts';
import type { FleetOrder, LearnOrder } from './learn-shapes.ts';
import type { SimulatedRun, WhatIf } from './what-if.ts';

const THREADS_MAX = 1;
const QUEUE_MAX = 8;
const HEAP_MB_MAX = 256;
/** V8 would take 48 MB; a day takes a twentieth longer to simulate with this. */
const YOUNG_MB_MAX = 9;
/** A thread of its own takes 12 MB; another one is there within a tenth of a second. */
const IDLE_MS = 5_000;
/** With their wait in the queue. */
const SIMULATION_MS_MAX = 25_000;
const LEARNING_MS_MAX = 60_000;
/** Above that of the management thread, which starts it: beside a thread of ordinary priority it gets a thirtieth of a core. */
const NICE = 10;

/** What a job came to: an expected failure is a value. */
export type JobResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

export type Done<F extends (...given: never[]) => Promise<unknown>> = JobResult<Awaited<ReturnType<F>>>;

export interface JobPoolOptions {
  /** The built worker; tests that run from the sources name it. */
  readonly worker?: URL;
  readonly queueMax?: number;
  readonly simulationMsMax?: number;
  /** Runs the work of a job, and may note that it did. */
  readonly trace?: <T>(name: string, work: () => Promise<T>) => Promise<T>;
}

export class JobPool {
  readonly #pool: Piscina;
  readonly #simulationMsMax: number;
  readonly #jobsMax: number;
  readonly #trace: NonNullable<JobPoolOptions['trace']>;
  /** Jobs that run or wait. */
  #jobs = 0;
  #closed = false;

  constructor(options: JobPoolOptions = {}) {
    const { worker = new URL('./job-worker.js', import.meta.url), queueMax = QUEUE_MAX } = options;
    this.#simulationMsMax = options.simulationMsMax ?? SIMULATION_MS_MAX;
    this.#jobsMax = THREADS_MAX + queueMax;
    this.#trace = options.trace ?? ((_name, work) => work());
    this.#pool = new Piscina({
      filename: worker.href,
      minThreads: 0,
      maxThreads: THREADS_MAX,
      idleTimeout: IDLE_MS,
      atomics: 'disabled',
      recordTiming: false,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX, maxYoungGenerationSizeMb: YOUNG_MB_MAX },
      // Elsewhere the priority is the whole process's.
      ...(process.platform === 'linux' ? { niceIncrement: NICE } : {}),
    });
  }

  /**
   * To be asked before what a job needs is gathered: a refusal should cost nothing.
   * @throws AppError `rate_limited` with a full queue, `unavailable` when the pool ends.
   */
  checkRoom(): void {
    if (this.#closed) throw new AppError('unavailable', 'the pod is ending');
    // Counted here: the pool's own bound does not hold while its thread is busy.
    if (this.#jobs >= this.#jobsMax) {
      throw new AppError('rate_limited', 'too many simulations wait already; try again');
    }
  }

  /** @throws AppError `rate_limited` with a full queue, `unavailable` when it takes too long or the pool ends. */
  simulate(whatIf: WhatIf): Promise<SimulatedRun[]> {
    return this.#run('runSimulation', whatIf, this.#simulationMsMax);
  }

  /** @throws AppError as {@link simulate}, and `unavailable` without the database. */
  learn(order: LearnOrder): Promise<LearnedShape[]> {
    return this.#run('runLearning', order, LEARNING_MS_MAX);
  }

  /** @throws AppError as {@link learn}. */
  learnFleet(order: FleetOrder): Promise<LearnedShape> {
    return this.#run('runFleetLearning', order, LEARNING_MS_MAX);
  }

  /** Ends at once: what waits or runs is answered with `unavailable`. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool.destroy();
  }

  async #run<T>(name: string, order: unknown, timeMsMax: number): Promise<T> {
    this.checkRoom();
    this.#jobs++;
    const signal = AbortSignal.timeout(timeMsMax);
    let result: JobResult<T>;
    try {
      result = (await this.#trace(name, () => this.#pool.run(order, { name, signal }))) as JobResult<T>;
    } catch (error) {
      throw refusalOf(error, signal.aborted, timeMsMax);
    } finally {
      this.#jobs--;
    }
    if (result.ok) return result.value;
    throw new AppError(result.code, result.message);
  }
}

function refusalOf(error: unknown, late: boolean, timeMsMax: number): AppError {
  const why = late
    ? `the job took more than ${timeMsMax / 1000} s and was given up; try again, or ask for less`
    : 'the job could not be run; try again';
  return new AppError('unavailable', why, undefined, error);
}
