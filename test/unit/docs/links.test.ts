import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readYaml } from '../../support/deployment-files.ts';
import { anchorsOf, documentation, readPage } from '../../support/documentation.ts';
import { ROOT } from '../../support/repository.ts';

const LINK = /\[[^\]]*\]\(([^)\s]+)\)/g;

/** What is wrong with a link of a page, or null. */
function brokenBecause(page: string, link: string): string | null {
  if (/^[a-z]+:/.test(link)) return null;
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
  if (!existsSync(join(ROOT, target))) return `${page}: ${link}: there is no ${target}`;
  if (anchor === undefined || statSync(join(ROOT, target)).isDirectory()) return null;
  return anchorsOf(readPage(target)).includes(anchor) ? null : `${page}: ${link}: there is no such heading`;
}

describe('the documentation', () => {
  it('links only to files and headings that are there', () => {
    const broken = documentation().flatMap(({ path, text }) =>
      [...text.matchAll(LINK)].map(([, link = '']) => brokenBecause(path, link)),
    );
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
