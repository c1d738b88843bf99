/**
 * One pod for each DATA_DIR. The lock file names the process that holds it and when that process started,
 * so that a lock left by a killed process, whose number another may carry by now, is recognised as stale.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FIELD_AFTER_NAME_STARTTIME = 19;

/** When a process started, in the kernel's ticks; null where it does not run, '' where that cannot be told. */
function startOf(pid: number): string | null {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return null;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[FIELD_AFTER_NAME_STARTTIME] ?? '';
  } catch {
    return '';
  }
}

function holderOf(file: string): number | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return null;
  }
  const [pid, startedAt] = text.trim().split(' ');
  const runningSince = startOf(Number(pid));
  return runningSince !== null && runningSince === (startedAt ?? '') && Number(pid) !== process.pid
    ? Number(pid)
    : null;
}

/**
 * Takes the folder, which is made when absent.
 * @returns a function that gives it back
 * @throws Error with a line for the operator when another running pod holds it or it cannot be written
 */
export function lockDataDir(folder: string): () => void {
  const file = join(folder, 'pacer.lock');
  try {
    mkdirSync(folder, { recursive: true });
    const holder = holderOf(file);
    if (holder !== null) throw new Error(`process ${holder} uses it: give each pod a folder of its own`);
    rmSync(file, { force: true });
    writeFileSync(file, `${process.pid} ${startOf(process.pid) ?? ''}\n`, { flag: 'wx' });
  } catch (error) {
    throw new Error(
      `DATA_DIR="${folder}" cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return () => rmSync(file, { force: true });
}
