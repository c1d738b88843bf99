import { describe, expect, test } from 'vitest';
import { LiveTable } from '../../support/live-table.ts';

const MINUTE = 60_000;

function tableWith(...ids: readonly string[]): LiveTable {
  const table = new LiveTable(64);
  for (const id of ids) table.add(id);
  return table;
}

const changedIds = ({ rows }: LiveTable, after: number): string[] =>
  [...rows.changedAfter(after)].map(({ id }) => id).sort();

describe('the rows of live updates', () => {
  test('are all new at the first look, and none at a second one when nothing moved', () => {
    const table = tableWith('a', 'b');
    expect(table.rows.refresh(0)).toBe(true);
    expect(changedIds(table, 0)).toEqual(['a', 'b']);
    expect(table.rows.refresh(1)).toBe(false);
    expect(table.rows.look).toBe(1);
  });

  test('tell whoever looked last at a look what changed since, however many looks ago that was', () => {
    const table = tableWith('a', 'b', 'c');
    table.rows.refresh(0);
    table.spend('a', 5);
    table.rows.refresh(1);
    table.spend('b', 7);
    table.rows.refresh(2);
    expect(changedIds(table, table.rows.look - 1)).toEqual(['b']);
    expect(changedIds(table, 1)).toEqual(['a', 'b']);
    expect(table.rows.get('b')?.wire).toMatchObject({ daily_spent_cents: 7 });
  });

  test('write a row out once, and again only after it changed', () => {
    const table = tableWith('a', 'b');
    table.rows.refresh(0);
    const [a, b] = [table.rows.get('a')?.wire, table.rows.get('b')?.wire];
    table.spend('a', 1);
    table.rows.refresh(1);
    expect(table.rows.get('a')?.wire).not.toBe(a);
    expect(table.rows.get('b')?.wire).toBe(b);
  });

  test('say that a campaign is gone for a minute, and then that whoever does not know begins anew', () => {
    const table = tableWith('a', 'b');
    table.rows.refresh(0);
    table.remove('b');
    table.rows.refresh(1);
    expect(table.rows.get('b')?.wire).toEqual({ campaign_id: 'b', status: 'DELETED' });
    expect([...table.rows.all()].map(({ id }) => id)).toEqual(['a']);
    const seen = 1;
    expect(table.rows.forgottenAt).toBeLessThanOrEqual(seen);
    table.rows.refresh(1 + MINUTE);
    expect(table.rows.get('b')).toBeUndefined();
    expect(table.rows.forgottenAt).toBeGreaterThan(seen);
  });

  test('show a campaign again that came back under its id', () => {
    const table = tableWith('a');
    table.rows.refresh(0);
    table.remove('a');
    table.rows.refresh(1);
    table.add('a');
    table.rows.refresh(2);
    expect(table.rows.get('a')?.wire).toMatchObject({ campaign_id: 'a', status: 'ACTIVE' });
    expect([...table.rows.all()]).toHaveLength(1);
  });

  test('leave out, and name, a campaign that nobody has described yet', () => {
    const table = tableWith('a');
    table.add('stranger', false);
    table.rows.refresh(0);
    expect([...table.rows.all()].map(({ id }) => id)).toEqual(['a']);
    expect(table.rows.unknown).toEqual(['stranger']);
  });

  test('are read anew after nobody looked for a while', () => {
    const table = tableWith('a');
    table.rows.refresh(0);
    const seen = table.rows.look;
    table.rows.clear();
    table.spend('a', 3);
    table.rows.refresh(5);
    expect(table.rows.forgottenAt).toBe(seen);
    expect(table.rows.get('a')?.wire).toMatchObject({ daily_spent_cents: 3 });
  });
});
