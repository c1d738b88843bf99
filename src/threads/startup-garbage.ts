/**
 * What a thread leaves behind while it starts, modules compiled and data taken in, is garbage that V8 keeps until it
 * needs the room: tens of megabytes a thread. It is collected once, before the thread takes work.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Stops the thread for some milliseconds, or as long as it takes to mark what it holds. */
export function collectStartupGarbage(): void {
  // The collector has no other name in a process that was not started with --expose-gc. The flag is the whole process's
  // and stays: a thread that took it back would take it from another one between its two lines.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // The second one gives back the pages that the first one emptied.
  collect();
  collect();
}
