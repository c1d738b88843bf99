/**
 * How many cores the process may use: those it may run on, and of a container with a CPU limit no more than that. Node
 * knows of the first; of limits only from libuv 1.49 on, which Node 20 does not have.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/** At least 1; parts of a core are not counted. */
export function coresAvailable(): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(cpuLimit('/'))));
}

/**
 * The tightest CPU limit of the process's control groups (Linux; version 2 and 1), in cores; Infinity for none.
 * @param root where `proc` and `sys` are
 */
export function cpuLimit(root: string): number {
  const limits = textOf(join(root, 'proc/self/cgroup'))
    .split('\n')
    .flatMap((line) => {
      const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
      if (controllers === undefined || path === undefined) return [];
      if (controllers === '')
        return groupsOf(path).map((group) => limitOf2(join(root, 'sys/fs/cgroup', group)));
      if (!controllers.split(',').includes('cpu')) return [];
      return groupsOf(path).map((group) => limitOf1(join(root, 'sys/fs/cgroup/cpu', group)));
    });
  return Math.min(Number.POSITIVE_INFINITY, ...limits);
}

/** A group and those that it is in, up to the mount: in a container that is the container's own, whatever its path. */
function groupsOf(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '');
  return [...names.map((_, at) => names.slice(0, at + 1).join('/')), '.'];
}

function limitOf2(folder: string): number {
  const [quota, period] = textOf(join(folder, 'cpu.max')).split(' ');
  return cores(quota, period);
}

function limitOf1(folder: string): number {
  return cores(textOf(join(folder, 'cpu.cfs_quota_us')), textOf(join(folder, 'cpu.cfs_period_us')));
}

/** Infinity unless both are positive numbers: no limit is `max` or −1. */
function cores(quota = '', period = ''): number {
  const limit = Number(quota) / Number(period);
  return limit > 0 ? limit : Number.POSITIVE_INFINITY;
}

/** Empty where there is no such file. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
