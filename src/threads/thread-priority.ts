/** Priorities of threads, which Linux has for each thread and other systems for the whole process. */
import { readdirSync, readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';

/** Of three to one against a thread that nothing was done to, when both want the same core. */
const NICE = 5;
/** Of nine to one. */
const HELPERS_NICE = 10;
const NICEST = 19;

/** The threads that node starts first: its main one, one that waits for V8's timers, then V8's helpers. */
const BEFORE_HELPERS = 2;
/** As many as node gives V8 unless told otherwise. */
const HELPERS = 4;
const TOLD_OTHERWISE = /--(?:v8[-_]pool[-_]size|single[-_]threaded)/;

/**
 * From now on the calling thread waits while others want the processor; threads that it starts do the same. Does nothing
 * where it cannot be done: not on Linux, or in a sandbox that forbids it.
 */
export function giveWay(): void {
  if (process.platform !== 'linux') return;
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')));
    makeNice(thread, NICE);
  } catch {
    // It goes on as it was: decisions wait a little longer, and nothing else changes.
  }
}

/**
 * From now on V8's helpers, which collect garbage and compile for all threads of the process, wait while others want the
 * processor. Four of them want it at once, as a rule for a thread that nobody waits for, and whoever decides bids would have
 * to wait for each. Does nothing where {@link giveWay} cannot, or where node was told of another number of helpers.
 */
export function helpersGiveWay(): void {
  if (process.platform !== 'linux') return;
  if (TOLD_OTHERWISE.test([process.env.NODE_OPTIONS, ...process.execArgv].join(' '))) return;
  try {
    // In the order in which they were started.
    const threads = readdirSync('/proc/self/task').map(Number);
    for (const helper of threads.slice(BEFORE_HELPERS, BEFORE_HELPERS + HELPERS))
      makeNice(helper, HELPERS_NICE);
  } catch {
    // As above.
  }
}

function makeNice(thread: number, nice: number): void {
  setPriority(thread, Math.min(NICEST, getPriority(thread) + nice));
}
