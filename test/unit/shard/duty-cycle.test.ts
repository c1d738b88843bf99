import { beforeEach, describe, expect, test } from 'vitest';
import type { Account } from '../../../src/shard/account.ts';
import type { AccountBook } from '../../../src/shard/account-book.ts';
import { CYCLE_MS, DutyCycle } from '../../../src/shard/duty-cycle.ts';
import { allocateTable, FLAG_LISTENS } from '../../../src/table/layout.ts';
import { type Decision, EdgeTable, OwnerTable } from '../../../src/table/pacing-table.ts';

const CYCLES_A_SECOND = 1000 / CYCLE_MS;
const PLACES = 64;

/** Accounts that only count how often they are let advance. */
class Accounts {
  readonly advanced = new Map<number, number>();
  /** How often each was asked when it is due. */
  readonly looks = new Map<number, number>();
  /** Asks that each tick of an account finds. */
  readonly asks = new Map<number, number>();
  readonly tickedMs = new Map<number, number>();
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
    const { advanced, looks, inFlight, dueAtMs, tickedMs } = this;
    const account = {
      slot,
      listens: true,
      heard(asked: boolean) {
        this.listens = !asked;
      },
      supply: () => undefined,
      get tickedMs() {
        return tickedMs.get(slot) ?? 0;
      },
      activity: { touchedMs: 0 },
      allowanceShort: false,
      campaign: { status: 'ACTIVE' },
      get atRest() {
        return !inFlight.has(slot);
      },
      get dueAtMs() {
        looks.set(slot, (looks.get(slot) ?? 0) + 1);
        return dueAtMs[slot];
      },
      advance: () => advanced.set(slot, (advanced.get(slot) ?? 0) + 1),
    };
    return account as unknown as Account;
  }
}

describe('the duty cycle', () => {
  const memory = allocateTable(PLACES, 1, 1);
  const owner = new OwnerTable(memory, 0);
  const edge = new EdgeTable(memory, 0);
  const decision: Decision = { reason: 0, maxBidMicros: 0, takenMicros: 0, throttleRate: 0, degraded: false };
  let accounts: Accounts;
  let duty: DutyCycle;
  const clock = { wallMs: 0, steadyMs: 0 };

  beforeEach(() => {
    accounts = new Accounts();
    const none = (): void => undefined;
    duty = new DutyCycle({
      table: owner,
      accounts: accounts as unknown as AccountBook,
      asked: none,
      touch: none,
      record: none,
      close: none,
      pacing: {
        begin: none,
        run: ({ slot }, { steadyMs }) => {
          accounts.tickedMs.set(slot, steadyMs);
          return accounts.asks.get(slot) ?? 0;
        },
      },
    });
    for (const account of accounts.all) {
      owner.setFlags(account.slot, FLAG_LISTENS);
      duty.woken(account, clock);
    }
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

  test('paces an account each second while it is asked for often, and each five seconds while seldom', () => {
    accounts.asks.set(3, 4).set(4, 3).set(5, 1);
    pass(10);
    const advanced = pass(50);
    expect(advanced[3]).toBe(50);
    expect(advanced[4]).toBe(10);
    expect(advanced[5]).toBe(10);
    expect(accounts.all.slice(3, 7).map(({ listens }) => listens)).toEqual([false, false, false, true]);
  });

  test('paces an account each half minute when it rests', () => {
    pass(70);
    expect(new Set(pass(300))).toEqual(new Set([10]));
  });

  test('does not let an account with bids in flight rest, however long nobody bids for it', () => {
    accounts.inFlight.add(7);
    pass(70);
    const advanced = pass(60);
    expect(advanced[7]).toBe(12);
    expect(advanced[8]).toBe(2);
    accounts.inFlight.clear();
    pass(5);
    expect(pass(60)[7]).toBe(2);
  });

  test('paces an account within a second of the first bid for it, and of a spend', () => {
    pass(70);
    accounts.inFlight.add(2).add(3); // the bids
    edge.decide(2, 1, () => 0, decision);
    duty.woken(accounts.all[3] as Account, clock);
    const advanced = pass(1);
    expect(advanced.slice(2, 5)).toEqual([1, 1, 0]);
    expect(accounts.all[2]?.listens).toBe(true); // its tick found no ask
  });

  test('does not pace an account out of its turn for bids that its last tick knew of', () => {
    accounts.asks.set(2, 1);
    pass(70);
    accounts.advanced.clear();
    owner.setFlags(2, 0);
    edge.decide(2, 1, () => 0, decision);
    expect(pass(10)[2]).toBe(2);
  });

  test('leaves an account alone after an hour without a bid', () => {
    accounts.inFlight.add(9);
    pass(3_700);
    expect(pass(60)).toEqual(accounts.all.map(({ slot }) => (slot === 9 ? 12 : 0)));
    accounts.inFlight.clear();
    pass(5);
    expect(new Set(pass(60))).toEqual(new Set([0]));
  });

  test('lets an account advance when its time has come, even when it is idle', () => {
    pass(3_700);
    accounts.dueAtMs[5] = clock.wallMs + 10_000;
    expect(pass(9)[5]).toBe(0);
    expect(pass(3)[5]).toBeGreaterThan(0);
  });

  test('looks no more at an account that has had its turn before it was due', () => {
    accounts.dueAtMs[5] = clock.wallMs + 1_500;
    pass(1.2);
    expect(accounts.looks.get(5)).toBeGreaterThan(0);
    accounts.dueAtMs[5] = clock.wallMs + 86_400_000;
    pass(0.1);
    accounts.looks.clear();
    pass(5);
    expect(accounts.looks.get(5)).toBeUndefined();
  });
});
