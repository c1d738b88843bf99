/** Runs the built `pacer` command as a user does, with nothing of the test's own environment but the path. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { killAtEnd } from './end-of-tests.ts';

const PACER = fileURLToPath(new URL('../../dist/cli/pacer.js', import.meta.url));

export interface CommandResult {
  readonly code: number | null;
  /** Standard output. */
  readonly text: string;
  /** Standard error. */
  readonly error: string;
}

export function pacer(
  words: readonly string[],
  env: Readonly<Record<string, string | number>> = {},
): Promise<CommandResult> {
  const texts = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]));
  const child = spawn(process.execPath, [PACER, ...words], {
    env: { PATH: process.env.PATH ?? '', ...texts },
    cwd: '/',
  });
  const spareAtEnd = killAtEnd(() => child.kill('SIGKILL'));
  child.once('exit', spareAtEnd);
  let [text, error] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    error += part;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, text, error })));
}
