import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';

/** The nice values of a process's threads above this process's own; Linux only. @param pid or `self` */
export function raisedNiceValues(pid: number | 'self'): number[] {
  const own = getPriority();
  const all = readdirSync(`/proc/${pid}/task`).map((task) => {
    const text = readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[16]) - own;
  });
  return all.filter((nice) => nice > 0);
}
