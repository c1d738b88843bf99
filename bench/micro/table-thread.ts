/** Entry of a thread that decides on the shared table for a while and tells how often it did, a second. */
import { parentPort, workerData } from 'node:worker_threads';
import { isAllowed } from '../../src/domain/gate.ts';
import { IdIndex } from '../../src/table/id-index.ts';
import { type Decision, EdgeTable } from '../../src/table/pacing-table.ts';
import { BID_MICROS } from './open-table.ts';
import type { TableThreadStart } from './table-threads.ts';

/** Decisions between two looks at the clock. */
const TURN = 2000;
const WARM_UP_TURNS = 100;

const { memory, edge, ids, ready, threads, seconds } = workerData as TableThreadStart;
const table = new EdgeTable(memory, edge);
const index = new IdIndex(memory);
const decision: Decision = { reason: 0, maxBidMicros: 0, takenMicros: 0, throttleRate: 0, degraded: false };
let next = 0;

function turn(): void {
  for (let times = 0; times < TURN; times++) {
    const id = ids[next] as string;
    next = next + 1 < ids.length ? next + 1 : 0;
    table.decide(index.find(id), BID_MICROS, Math.random, decision);
  }
  if (!isAllowed(decision.reason)) throw new Error('a decision was a denial: another cost is measured');
}

for (let turns = 0; turns < WARM_UP_TURNS; turns++) turn();
const counter = new Int32Array(ready);
Atomics.add(counter, 0, 1);
while (Atomics.load(counter, 0) < threads); // all begin at once
const startedAtMs = performance.now();
let turns = 0;
let elapsedMs = 0;
while (elapsedMs < seconds * 1000) {
  turn();
  turns++;
  elapsedMs = performance.now() - startedAtMs;
}
parentPort?.postMessage((turns * TURN * 1000) / elapsedMs);
