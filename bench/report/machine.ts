/** What the figures were measured on: the machine, the versions and the commit. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';

const PACKAGES = ['uWebSockets.js', 'lmdb', 'fastify', 'autocannon', 'typescript'];

export interface Machine {
  readonly cores: number;
  readonly cpuModel: string;
  readonly memoryMb: number;
  readonly system: string;
  readonly loadAverage: readonly number[];
  readonly node: string;
  readonly packages: Readonly<Record<string, string>>;
  readonly commit: string;
}

/** @param root of the repository */
export function describeMachine(root: string): Machine {
  return {
    cores: availableParallelism(),
    cpuModel: cpus()[0]?.model ?? 'unknown',
    memoryMb: Math.round(totalmem() / 2 ** 20),
    system: `${platform()} ${release()} ${arch()}`,
    loadAverage: loadavg().map((load) => Math.round(load * 100) / 100),
    node: process.version,
    packages: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(root, name)])),
    commit: commitOf(root),
  };
}

function versionOf(root: string, name: string): string {
  try {
    const text = readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8');
    const { version } = JSON.parse(text) as { readonly version: string };
    return version;
  } catch {
    return 'not installed';
  }
}

/** With `+` when files that git knows were changed since, other than the documentation that the bench fills. */
function commitOf(root: string): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', '.', ':!docs') !== '';
    return git('rev-parse', '--short=12', 'HEAD') + (changed ? '+' : '');
  } catch {
    return 'unknown';
  }
}
