/** What the threads of the job pool run, by name; see job-pool.ts. They own nothing: a thread may end at any time. */
import { AppError } from '../domain/app-error.ts';
import type { Done, JobResult } from './job-pool.ts';
import { type FleetOrder, type LearnOrder, learnFleet, learnShapes } from './learn-shapes.ts';
import { sliced } from './sliced.ts';
import { type SimulatedRun, simulate, type WhatIf } from './what-if.ts';

export function runSimulation(whatIf: WhatIf): JobResult<SimulatedRun[]> {
  return { ok: true, value: simulate(whatIf, sliced()) };
}

export function runLearning(order: LearnOrder): Promise<Done<typeof learnShapes>> {
  return told(learnShapes(order));
}

export function runFleetLearning(order: FleetOrder): Promise<Done<typeof learnFleet>> {
  return told(learnFleet(order));
}

/** An expected failure travels as a value: between threads an error loses its class. */
async function told<T>(value: Promise<T>): Promise<JobResult<T>> {
  try {
    return { ok: true, value: await value };
  } catch (error) {
    if (error instanceof AppError) return { ok: false, code: error.code, message: error.message };
    throw error;
  }
}
