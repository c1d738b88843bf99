/** Console blocks of the README and of pages below docs/, run as they are printed: each command must show what is shown. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { until } from './pod-wait.ts';

interface Step {
  readonly command: string;
  readonly shown: string;
}

/** Asking again changes nothing: what is shown may come a moment later. */
const ONLY_ASKS =
  /\/health|\/budget\/status|\/metrics|\/pacing\/decision|\/performance|\/alerts(?!\S*\/resolve)|\bhvals\b/;

/** The commands of a section, by its heading, each with what the page shows under it. */
export function readmeWalk(heading: string, page = 'README.md'): Step[] {
  const [, rest = ''] = textOf(page).split(`${heading}\n`);
  const [section = ''] = rest.split(/^#/m);
  return stepsOf(section);
}

/** The commands of a page, up to a heading. */
export function pageWalk(page: string, until: string): Step[] {
  const [text = ''] = textOf(page).split(`${until}\n`);
  return stepsOf(text);
}

function textOf(page: string): string {
  return readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
}

function stepsOf(text: string): Step[] {
  const blocks = [...text.matchAll(/```console\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .filter((part) => part !== '')
      .map((part) => {
        const [command = '', ...shown] = part.split('\n');
        return { command, shown: shown.join('\n').trim() };
      }),
  );
}

/**
 * Runs the commands in turn, with ports that are free here in place of those that are printed.
 * @param cwd where files go that a command makes
 */
export async function runWalk(
  steps: readonly Step[],
  ports: Readonly<Record<string, number>>,
  cwd?: string,
): Promise<void> {
  for (const { command, shown } of steps) {
    const here = command.replace(/\b\d{4}\b/g, (port) => String(ports[port] ?? port));
    const check = async (): Promise<void> => {
      const { stdout } = await promisify(execFile)('bash', ['-c', here], { cwd });
      if (!/^[{[]/.test(shown)) expect(stdout.trim(), command).toBe(shown);
      else expect(JSON.parse(stdout), command).toEqual(matching(JSON.parse(shown)));
    };
    if (ONLY_ASKS.test(command)) await repeated(check);
    else await check();
  }
}

/** Until it holds; when it never does, with what it said last. */
async function repeated(check: () => Promise<void>): Promise<void> {
  let last: unknown;
  const holds = (): Promise<boolean> =>
    check().then(
      () => true,
      (error: unknown) => {
        last = error;
        return false;
      },
    );
  await until('the README’s answer', holds).catch(() => {
    throw last;
  });
}

/** Where the README shows "…", any value may stand. */
function matching(shown: unknown): unknown {
  if (shown === '…') return expect.toSatisfy(() => true);
  if (Array.isArray(shown)) return shown.map(matching);
  if (typeof shown !== 'object' || shown === null) return shown;
  return Object.fromEntries(Object.entries(shown).map(([key, value]) => [key, matching(value)]));
}
