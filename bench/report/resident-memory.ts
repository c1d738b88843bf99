/** How much memory a process holds, as the operating system counts it. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface ResidentMemory {
  readonly residentMb: number;
  /** Heap, stacks and buffers, of which nothing can be shared; null where the system does not tell. */
  readonly anonymousMb: number | null;
  /** Mapped files: the node binary, libraries, the ledger. */
  readonly filesMb: number | null;
  /** The most it ever held. */
  readonly peakMb: number | null;
}

const execute = promisify(execFile);
const KB_A_MB = 1024;

export async function residentMemory(pid: number): Promise<ResidentMemory> {
  if (process.platform !== 'linux') {
    const { stdout } = await execute('ps', ['-o', 'rss=', '-p', String(pid)]);
    return { residentMb: Number(stdout) / KB_A_MB, anonymousMb: null, filesMb: null, peakMb: null };
  }
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]) / KB_A_MB;
  return {
    residentMb: megabytes('VmRSS'),
    anonymousMb: megabytes('RssAnon'),
    filesMb: megabytes('RssFile'),
    peakMb: megabytes('VmHWM'),
  };
}
