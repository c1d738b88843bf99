/** Programs that tests run and npm does not bring: from PATH, else from the system's package manager. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

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
    await run('apt-get', ['update', '-q']);
    await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', aptPackage]);
  }
  if (await isInstalled(program)) return;
  throw new Error(`these tests need ${program}: install Debian's package ${aptPackage}, or the like of it`);
}
