import { beforeEach, describe, expect, it } from 'vitest';
import type { Account } from '../../../src/shard/account.ts';
import { ChangedAccounts } from '../../../src/shard/changed-accounts.ts';

const [a, b, c] = ['a', 'b', 'c'].map((id) => ({ id }) as unknown as Account) as [Account, Account, Account];

describe('accounts that are to be told of', () => {
  let changed: ChangedAccounts;

  beforeEach(() => {
    changed = new ChangedAccounts();
    changed.add(a, 10);
    changed.add(b, 20);
    changed.add(a, 30);
  });

  it('are taken once each, the longest waiting first', () => {
    changed.add(c, 40);
    expect(changed.take(2)).toEqual([a, b]);
    expect(changed.take(2)).toEqual([c]);
  });

  it('wait since their first change until they were told', () => {
    expect(changed.sinceMs).toBe(10);
    changed.take(1);
    expect(changed.sinceMs).toBe(10);
    changed.told(a);
    expect(changed.sinceMs).toBe(20);
    changed.take(1);
    expect(changed.size).toBe(1);
    changed.told(b);
    expect(changed.sinceMs).toBe(0);
    expect(changed.size).toBe(0);
  });

  it('wait anew when they change while they are told', () => {
    changed.take(2);
    changed.add(a, 50);
    changed.told(a);
    changed.told(b);
    expect(changed.sinceMs).toBe(50);
    expect(changed.take(2)).toEqual([a]);
  });

  it('come first, and wait as long as they did, when they could not be told', () => {
    changed.take(2);
    changed.add(c, 40);
    changed.add(b, 50);
    changed.putBack(a);
    changed.putBack(b);
    expect(changed.size).toBe(3);
    expect(changed.sinceMs).toBe(10);
    changed.add(a, 60);
    expect(changed.take(3)).toEqual([a, b, c]);
  });
});
