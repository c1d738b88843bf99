/** The pages of the documentation, and what they name: links, files, commands, variables. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './repository.ts';

const FENCE = /^```([^\n]*)\n([\s\S]*?)^```/gm;
const SPAN = /`([^`\n]+)`/g;
const IGNORED = ['node_modules', 'dist', 'build', 'data', 'coverage', '.git'];

export interface Page {
  /** Relative to the root. */
  readonly path: string;
  /** Without what stands in fences. */
  readonly text: string;
  /** What stands in fences. */
  readonly fences: readonly { readonly language: string; readonly text: string }[];
  /** What stands between backticks in its text, and the fences. */
  readonly code: readonly string[];
}

export function documentation(): Page[] {
  const below = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path));
  const top = readdirSync(ROOT).filter((path) => path.endsWith('.md'));
  return [...top, ...below].map(readPage);
}

export function readPage(path: string): Page {
  const whole = readFileSync(join(ROOT, path), 'utf8');
  const fences = [...whole.matchAll(FENCE)].map(([, language = '', text = '']) => ({ language, text }));
  const text = whole.replaceAll(FENCE, '');
  const spans = [...text.matchAll(SPAN)].map(([, span = '']) => span);
  return { path, text, fences, code: [...spans, ...fences.map((fence) => fence.text)] };
}

/** As GitHub makes an anchor of a heading: letters and digits kept, spaces to hyphens, the rest dropped. */
export function anchorsOf(page: Page): string[] {
  return [...page.text.matchAll(/^#+ +(.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
}

/** Every file and folder of the repository, relative to its root, folders with a slash at their end. */
export function repositoryPaths(folder = ''): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter(({ name }) => folder !== '' || !IGNORED.includes(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? [`${path}/`, ...repositoryPaths(path)] : [path];
    });
}
