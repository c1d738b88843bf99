/** Programs that tests run and npm does not bring: from PATH, else from the system's package manager. */
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Test files that run at the same time take turns: apt-get does not wait for another one. */
const LOCK = join(tmpdir(), 'pacer-test-apt.lock');
const INSTALL =
  'command -v "$1" || { apt-get update -q && apt-get install -y -q --no-install-recommends "$2"; }';

async function isInstalled(program: string): Promise<boolean> {
  return run('sh', ['-c', `command -v ${program}`]).then(
    () => true,
    () => false,
  );
}

/**
 * Makes sure that a program is on the PATH.
 * @param aptPackage Debian's package that brings it
 * @throws Error that says what to install when it is missing and cannot be installed from here
 */
export async function ensureTool(program: string, aptPackage: string): Promise<void> {
  if (await isInstalled(program)) return;
  if (process.getuid?.() === 0 && (await isInstalled('apt-get'))) {
    await run('flock', [LOCK, 'sh', '-c', INSTALL, 'sh', program, aptPackage]);
  }
  if (await isInstalled(program)) return;
  throw new Error(`these tests need ${program}: install Debian's package ${aptPackage}, or the like of it`);
}
