import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, readYaml } from '../../support/deployment-files.ts';

const FENCE = /^```[\s\S]*?^```/gm;
const LINK = /\[[^\]]*\]\(([^)\s]+)\)/g;

/** Every page of the documentation, relative to the root. */
function pages(): string[] {
  const below = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path));
  const top = readdirSync(ROOT).filter((path) => path.endsWith('.md'));
  return [...top, ...below];
}

/** As GitHub makes an anchor of a heading: letters and digits kept, spaces to hyphens, the rest dropped. */
function anchorsOf(page: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8').replaceAll(FENCE, '');
  return [...text.matchAll(/^#+ +(.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
}

/** What is wrong with a link of a page, or null. */
function brokenBecause(page: string, link: string): string | null {
  if (/^[a-z]+:/.test(link)) return null;
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
  if (!existsSync(join(ROOT, target))) return `${page}: ${link}: there is no ${target}`;
  if (anchor === undefined || statSync(join(ROOT, target)).isDirectory()) return null;
  return anchorsOf(target).includes(anchor) ? null : `${page}: ${link}: there is no such heading`;
}

describe('the documentation', () => {
  it('links only to files and headings that are there', () => {
    const broken = pages().flatMap((page) => {
      const text = readFileSync(join(ROOT, page), 'utf8').replaceAll(FENCE, '');
      return [...text.matchAll(LINK)].map(([, link = '']) => brokenBecause(page, link));
    });
    expect(broken.length).toBeGreaterThan(20);
    expect(broken.filter((problem) => problem !== null)).toEqual([]);
  });

  it('has a page for each runbook link of an alert', () => {
    interface Rules {
      readonly groups: readonly {
        readonly rules: readonly { readonly annotations: { readonly runbook_url: string } }[];
      }[];
    }
    const { groups } = readYaml<Rules>('docker/prometheus/alerts.yml');
    const links = groups.flatMap(({ rules }) => rules.map(({ annotations }) => annotations.runbook_url));
    expect(
      links.map((link) => brokenBecause('README.md', link)).filter((problem) => problem !== null),
    ).toEqual([]);
  });
});
