import { beforeEach, describe, expect, test } from 'vitest';
import type { Account } from '../../../src/shard/account.ts';
import type { AccountBook } from '../../../src/shard/account-book.ts';
import { CYCLE_MS, DutyCycle } from '../../../src/shard/duty-cycle.ts';
import { allocateTable } from '../../../src/table/layout.ts';
import { OwnerTable } from '../../../src/table/pacing-table.ts';

const CYCLES_A_SECOND = 1000 / CYCLE_MS;
const PLACES = 64;

/** Accounts that only count how often they are let advance. */
class Accounts {
  readonly advanced = new Map<number, number>();
  readonly inFlight = new Set<number>();
  readonly all: Account[];
  readonly dueAtMs = new Float64Array(PLACES).fill(Number.POSITIVE_INFINITY);
  readonly places = PLACES;

  constructor() {
    this.all = Array.from({ length: PLACES }, (_, slot) => this.#account(slot));
  }

  at(place: number): Account | undefined {
    return this.all[place];
  }

  #account(slot: number): Account {
    const { advanced, inFlight, dueAtMs } = this;
    const account = {
      slot,
      activity: { touchedMs: 0 },
      allowanceShort: false,
      campaign: { status: 'ACTIVE' },
      get atRest() {
        return !inFlight.has(slot);
      },
      get dueAtMs() {
        return dueAtMs[slot];
      },
      advance: () => advanced.set(slot, (advanced.get(slot) ?? 0) + 1),
    };
    return account as unknown as Account;
  }
}

describe('the duty cycle', () => {
  const table = new OwnerTable(allocateTable(PLACES, 1, 1), 0);
  let accounts: Accounts;
  let duty: DutyCycle;
  const clock = { wallMs: 0, steadyMs: 0 };

  beforeEach(() => {
    accounts = new Accounts();
    const none = (): void => undefined;
    duty = new DutyCycle({
      table,
      accounts: accounts as unknown as AccountBook,
      changed: none,
      touch: none,
      close: none,
      pacing: { begin: none, run: () => 0 },
    });
    for (const account of accounts.all) duty.woken(account, clock);
  });

  /** @returns how often each account was let advance meanwhile */
  function pass(seconds: number): number[] {
    accounts.advanced.clear();
    for (let cycle = 0; cycle < seconds * CYCLES_A_SECOND; cycle++) {
      clock.steadyMs += CYCLE_MS;
      clock.wallMs += CYCLE_MS;
      duty.turn(clock);
    }
    return accounts.all.map(({ slot }) => accounts.advanced.get(slot) ?? 0);
  }

  test('paces an account each second while it is bid for, and each half minute when it rests', () => {
    expect(new Set(pass(50))).toEqual(new Set([50]));
    pass(15);
    expect(new Set(pass(300))).toEqual(new Set([10]));
  });

  test('paces an account with bids in flight each second, however long nobody bids for it', () => {
    accounts.inFlight.add(7);
    pass(65);
    const advanced = pass(60);
    expect(advanced[7]).toBe(60);
    expect(advanced[8]).toBe(2);
    accounts.inFlight.clear();
    pass(2);
    expect(pass(60)[7]).toBe(2);
  });

  test('paces an account each second again once it is bid for', () => {
    pass(65);
    duty.woken(accounts.all[3] as Account, clock);
    const advanced = pass(30);
    expect(advanced[3]).toBe(30);
    expect(advanced[4]).toBe(1);
  });

  test('leaves an account alone after an hour without a bid', () => {
    accounts.inFlight.add(9);
    pass(3_700);
    expect(pass(60)).toEqual(accounts.all.map(({ slot }) => (slot === 9 ? 60 : 0)));
    accounts.inFlight.clear();
    pass(2);
    expect(new Set(pass(60))).toEqual(new Set([0]));
  });

  test('lets an account advance when its time has come, even when it is idle', () => {
    pass(3_700);
    accounts.dueAtMs[5] = clock.wallMs + 10_000;
    expect(pass(9)[5]).toBe(0);
    expect(pass(3)[5]).toBeGreaterThan(0);
  });
});
