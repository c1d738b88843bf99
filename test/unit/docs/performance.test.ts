import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { catalogue } from '../../../bench/catalogue.ts';
import { type KeptResult, readKeptResults } from '../../../bench/report/kept-results.ts';
import { performancePage, performancePath } from '../../../bench/report/performance-page.ts';
import { ROOT } from '../../support/repository.ts';

const page = readFileSync(performancePath(ROOT), 'utf8');

const RESULT: KeptResult = {
  scenario: 'decisions',
  measuredAt: '2026-03-02T12:00:00.000Z',
  machine: {
    cores: 2,
    cpuModel: 'a processor',
    memoryMb: 4096,
    system: 'linux',
    loadAverage: [0],
    node: 'v20',
    packages: {},
    commit: 'abc',
  },
  driver: 'wrk',
  rounds: 5,
  roundSeconds: 4,
  title: 'decisions: single ones',
  columns: ['server', 'requests/s'],
  rows: [['pacer', '1,000']],
  notes: ['a remark', 'goal: at least 2: MISSED (1.5)'],
  figures: {},
};

describe('the page of figures', () => {
  it('shows what was measured, as npm run bench -- --render-docs writes it', async () => {
    expect(performancePage(page, await readKeptResults(ROOT))).toBe(page);
  });

  it('has a place for every scenario', () => {
    const missing = catalogue.filter(({ name }) => !page.includes(`<!-- bench: ${name} -->`));
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it('fills marked places only, and says which goals were missed', () => {
    const empty = 'before\n<!-- bench: decisions -->\nold\n<!-- end of bench -->\nafter\n';
    const filled = performancePage(empty, [RESULT]);
    expect(filled).toMatch(/^before\n<!-- bench: decisions -->\n/);
    expect(filled).toMatch(/\n<!-- end of bench -->\nafter\n$/);
    expect(filled).toContain('| pacer | 1,000 |');
    expect(filled).toContain('- goal: at least 2: **missed** (1.5)');
    expect(filled).not.toContain('old');
    expect(performancePage(filled, [RESULT])).toBe(filled);
  });
});
