/** Priorities of threads, which Linux has for each thread and other systems for the whole process. */
import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';

/** Of three to one against a thread that nothing was done to, when both want the same core. */
const NICE = 5;
const NICEST = 19;

/**
 * From now on the calling thread waits while others want the processor; threads that it starts do the same. Does nothing
 * where it cannot be done: not on Linux, or in a sandbox that forbids it.
 */
export function giveWay(): void {
  if (process.platform !== 'linux') return;
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')));
    setPriority(thread, Math.min(NICEST, getPriority(thread) + NICE));
  } catch {
    // It goes on as it was: decisions wait a little longer, and nothing else changes.
  }
}
