/** What the documentation names is there: files, scripts, commands with their options, variables. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { helpText } from '../../../src/config/help.ts';
import { schema } from '../../../src/config/schema.ts';
import { readText } from '../../support/deployment-files.ts';
import { documentation, type Page, repositoryPaths } from '../../support/documentation.ts';
import { ROOT } from '../../support/repository.ts';

const pages = documentation();
const help = helpText('0.0.0');

/** What a pattern finds in the pages' code and is not fit, with its page. */
function unfit(
  pattern: RegExp,
  isFit: (name: string, page: Page) => boolean,
): { readonly found: number; readonly wrong: string[] } {
  let found = 0;
  const wrong: string[] = [];
  for (const page of pages) {
    for (const code of page.code) {
      for (const [, name = ''] of code.matchAll(pattern)) {
        found++;
        if (!isFit(name, page)) wrong.push(`${page.path}: ${name}`);
      }
    }
  }
  return { found, wrong };
}

describe('what the documentation names is there:', () => {
  it('files and folders of the repository, by their path or the end of it', () => {
    const known = repositoryPaths().map((path) => `/${path}`);
    const ends = /^((?:[\w.-]+\/)*[\w.-]+\.(?:ts|tsx|js|sql|sh|yml|yaml|cfg|svg|png)|(?:[\w.-]+\/)+)$/gm;
    const packages = ['uWebSockets.js'];
    const made = readText('.gitignore')
      .split('\n')
      .filter((line) => line.endsWith('/'));
    const { found, wrong } = unfit(ends, (name, { path }) => {
      // What is made by a build or at run time; the pages of the decisions tell of their day.
      if (made.some((folder) => name.startsWith(folder)) || path.startsWith('docs/decisions/')) return true;
      return packages.includes(name) || known.some((each) => each.endsWith(`/${name}`));
    });
    expect(found).toBeGreaterThan(40);
    expect(wrong).toEqual([]);
  });

  it('scripts of package.json', () => {
    const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
    const { found, wrong } = unfit(/\bnpm run (?:--silent )?([\w:.-]+)/g, (name) => name in scripts);
    expect(found).toBeGreaterThan(10);
    expect(wrong).toEqual([]);
  });

  it('programs that are run with node', () => {
    const { found, wrong } = unfit(/\bnode ((?:[\w.-]+\/)+[\w.-]+\.js)\b/g, (name) => {
      const source = name.replace(/^dist\//, 'src/').replace(/^build\//, '');
      return existsSync(join(ROOT, source)) || existsSync(join(ROOT, source.replace(/\.js$/, '.ts')));
    });
    expect(found).toBeGreaterThan(0);
    expect(wrong).toEqual([]);
  });

  it('commands of pacer with their options', () => {
    const commands = [...help.matchAll(/^ {2}pacer ([\w-]+)/gm)].map(([, command]) => command);
    const named = unfit(/(?:^|\$ |npx )pacer ([a-z-][\w-]*)/gm, (name) => commands.includes(name));
    expect(named.found).toBeGreaterThan(10);
    expect(named.wrong).toEqual([]);
    const options = unfit(/(?:^|\$ |npx )pacer [a-z-]+((?: +[^\s`]+)*)/gm, (words) =>
      [...words.matchAll(/(?<= )--[a-z-]+/g)].every(([option]) => help.includes(option)),
    );
    expect(options.wrong).toEqual([]);
  });

  it('variables of the configuration, of tests, and those that the image sets and docker-compose.yml reads', () => {
    const variables = Object.values(schema).map((option) => option.variable as string);
    const compose = [...readText('docker-compose.yml').matchAll(/\$\{(\w+)/g)].map(([, name]) => name ?? '');
    const values = ['FRONT_LOADED', 'HALF_OPEN'];
    const tests = ['PACER_FUZZ_SEED', 'PACER_FUZZ_SCALE'];
    const image = [...readText('docker/Dockerfile').matchAll(/^(?:ENV| {3}) (\w+)=/gm)].map(
      ([, name]) => name ?? '',
    );
    const known = [...variables, ...compose, ...image, ...values, ...tests];
    const { found, wrong } = unfit(/^([A-Z][A-Z\d]*_[A-Z\d_]+)(?:=|$)/gm, (name) => known.includes(name));
    expect(found).toBeGreaterThan(50);
    expect(wrong).toEqual([]);
    const given = unfit(/(?:^| )([A-Z][A-Z\d_]{3,})=\S/gm, (name) => known.includes(name));
    expect(given.found).toBeGreaterThan(3);
    expect(given.wrong).toEqual([]);
  });
});
