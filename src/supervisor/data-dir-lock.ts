/**
 * One pod for each DATA_DIR. The lock file names the process that holds it and when that process started,
 * so that a lock left by a killed process, whose number another may carry by now, is recognised as stale.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FIELD_STATE = 0;
const FIELD_START_TIME = 19;
/** A process that was killed may take a moment to be gone, and one that makes its lock a moment to write its name into it. */
const WAIT_MS = 5_000;
const POLL_MS = 50;

/** When a process started, in the kernel's ticks; null where it does not run, '' where that cannot be told. */
function startOf(pid: number): string | null {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return null;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ended = fields[FIELD_STATE] === 'Z' || fields[FIELD_STATE] === 'X';
    return ended ? null : (fields[FIELD_START_TIME] ?? '');
  } catch {
    return '';
  }
}

const NAMELESS = 'nameless';
type Holder = number | typeof NAMELESS | null;

/** The running process that holds the lock, NAMELESS while its name is not written yet, or null. */
function holderOf(file: string): Holder {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return null;
  }
  if (text === '') return NAMELESS;
  const [pid, startedAt] = text.trim().split(' ');
  const holder = Number(pid);
  if (!Number.isInteger(holder) || holder <= 0 || holder === process.pid) return null;
  const runningSince = startOf(holder);
  return runningSince !== null && runningSince === (startedAt ?? '') ? holder : null;
}

async function waitForHolder(file: string): Promise<Holder> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const holder = holderOf(file);
    if (holder === null || performance.now() >= deadline) return holder;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Makes the lock file, or fails; of two that find a stale one at once, one gets it. */
async function take(file: string): Promise<void> {
  const own = `${process.pid} ${startOf(process.pid) ?? ''}\n`;
  for (;;) {
    try {
      writeFileSync(file, own, { flag: 'wx' });
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const holder = await waitForHolder(file);
    if (typeof holder === 'number') {
      throw new Error(`process ${holder} uses it: give each pod a folder of its own`);
    }
    const stale = `${file}.${process.pid}`;
    try {
      // Moved aside first: what is removed is then the file that was looked at, or another's fresh lock, put back.
      renameSync(file, stale);
      if (typeof holderOf(stale) === 'number') renameSync(stale, file);
      else rmSync(stale);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
}

/**
 * Takes the folder, which is made when absent.
 * @returns a function that gives it back
 * @throws Error with a line for the operator when another running pod holds it or it cannot be written
 */
export async function lockDataDir(folder: string): Promise<() => void> {
  const file = join(folder, 'pacer.lock');
  try {
    mkdirSync(folder, { recursive: true });
    await take(file);
  } catch (error) {
    throw new Error(
      `DATA_DIR="${folder}" cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return () => rmSync(file, { force: true });
}
