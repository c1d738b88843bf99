import { beforeEach, describe, expect, it } from 'vitest';
import { AskedAccounts } from '../../../src/shard/asked-accounts.ts';

const PLACES = 64;

describe('accounts that were bid for', () => {
  let asked: AskedAccounts;

  beforeEach(() => {
    asked = new AskedAccounts(PLACES);
  });

  it('are taken once each, however often they were bid for', () => {
    for (const place of [5, 7, 5, 63]) asked.add(place);
    expect(asked.size).toBe(3);
    expect(asked.take(10)).toEqual([5, 7, 63]);
    expect(asked.size).toBe(0);
    expect(asked.take(10)).toEqual([]);
  });

  it('have their turns one after the other, also when those before them are bid for again', () => {
    const places = [0, 9, 31, 32, 63];
    const turns: number[] = [];
    for (let turn = 0; turn < 2 * places.length; turn++) {
      for (const place of places) asked.add(place);
      turns.push(...asked.take(1));
    }
    expect(turns).toEqual([...places, ...places]);
  });

  it('wait no longer once they are told of otherwise', () => {
    asked.add(3);
    asked.add(4);
    asked.delete(3);
    asked.delete(20);
    expect(asked.size).toBe(1);
    expect(asked.take(10)).toEqual([4]);
  });
});
