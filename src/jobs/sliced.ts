/**
 * Long work in short slices, with a pause after each. A low priority gives the work little of a core, but in pieces: a
 * scheduler may leave the core to a thread that has begun for some milliseconds, and decisions would wait for them.
 */

/** What a decision may have to wait for. */
const SLICE_MS = 0.2;
/** As short as a sleep gets: the kernel makes about 0.1 ms of it. */
const PAUSE_MS = 0.05;

/** @returns what the work is to call often; it sleeps where a slice is over */
export function sliced(): () => void {
  const never = new Int32Array(new SharedArrayBuffer(4));
  let begunAtMs = performance.now();
  return () => {
    if (performance.now() - begunAtMs < SLICE_MS) return;
    Atomics.wait(never, 0, 0, PAUSE_MS);
    begunAtMs = performance.now();
  };
}
