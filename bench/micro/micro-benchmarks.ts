/**
 * What is measured apart from HTTP: a decision, the table as its owner uses it, a controller's tick and a commit of
 * the ledger; and beside them what the machine itself asks for the same: two atomics, and one flush of the disk.
 */
import { fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Campaign } from '../../src/domain/campaign.ts';
import type { Clock } from '../../src/domain/clock.ts';
import { CurveCache } from '../../src/domain/curve-cache.ts';
import { REASON_PAUSED } from '../../src/domain/gate.ts';
import { Account, type AccountSettings } from '../../src/shard/account.ts';
import { Allowances } from '../../src/shard/allowance.ts';
import { Ledger } from '../../src/shard/ledger.ts';
import { LedgerTraffic } from '../../src/shard/ledger-traffic.ts';
import { PacingTick } from '../../src/shard/pacing-tick.ts';
import { allocateTable, UNITS_MAX } from '../../src/table/layout.ts';
import { type Decision, EdgeTable, type LaneSums, OwnerTable } from '../../src/table/pacing-table.ts';
import { campaignOf } from '../../test/support/shard-harness.ts';
import { campaignIds } from '../servers/campaigns.ts';
import type { MicroBenchmark, Prepared } from './micro.ts';
import { BID_MICROS, openTable } from './open-table.ts';

const CAMPAIGNS = 1000;
const ACCOUNTS = 200;
const DAILY_BUDGET_MICROS = 100_000_000;
const START_MS = Date.parse('2026-03-02T10:00:00Z');
const TICK_MS = 1000;

export const microBenchmarks: readonly MicroBenchmark[] = [
  {
    name: 'two atomics',
    describe: 'a compare-and-exchange and a subtraction in shared memory: the least a decision may cost',
    prepare: twoAtomics,
  },
  {
    name: 'decide, allowed',
    describe: 'a bid that is allowed, over 1,000 slots',
    prepare: () => decide(true),
  },
  {
    name: 'decide, denied',
    describe: 'a bid for a paused campaign, over 1,000 slots',
    prepare: () => decide(false),
  },
  { name: 'find', describe: 'the slot of an id, of 1,000', prepare: () => find(CAMPAIGNS) },
  { name: 'find, of 100,000', describe: 'the same of 100,000', prepare: () => find(100_000) },
  { name: 'table read', describe: 'the owner sums what edges counted of a slot', prepare: tableRead },
  { name: 'table write', describe: 'the owner publishes a pace: pass, cap and tokens', prepare: tableWrite },
  { name: 'controller tick', describe: 'one account, one second, published', prepare: controllerTick },
  { name: 'account record', describe: 'one account made ready for the ledger', prepare: accountRecord },
  {
    name: 'disk flush',
    describe: 'a write of 4 KB and its fdatasync: the least a commit may cost',
    prepare: diskFlush,
  },
  {
    name: 'ledger commit, 1',
    describe: 'one account, durable',
    prepare: (folder) => ledgerCommit(folder, 1),
  },
  {
    name: 'ledger commit, 200',
    describe: `a group of ${ACCOUNTS} accounts, durable`,
    prepare: (folder) => ledgerCommit(folder, ACCOUNTS),
  },
];

function twoAtomics(): Prepared {
  const words = new Int32Array(new SharedArrayBuffer(CAMPAIGNS * 128)).fill(UNITS_MAX);
  let slot = 0;
  return {
    run: (times) => {
      for (let time = 0; time < times; time++) {
        const left = Atomics.load(words, slot * 32);
        Atomics.compareExchange(words, slot * 32, left, left - 1);
        Atomics.sub(words, slot * 32 + 1, 1);
        slot = slot + 1 < CAMPAIGNS ? slot + 1 : 0;
      }
    },
  };
}

function decide(allowed: boolean): Prepared {
  const { memory, owner, slots } = openTable(campaignIds(CAMPAIGNS), 1);
  if (!allowed) for (const slot of slots) owner.setGate(slot, REASON_PAUSED);
  const table = new EdgeTable(memory, 0);
  const decision: Decision = { reason: 0, maxBidMicros: 0, takenMicros: 0, throttleRate: 0, degraded: false };
  let slot = 0;
  return {
    run: (times) => {
      for (let time = 0; time < times; time++) {
        table.decide(slot, BID_MICROS, Math.random, decision);
        slot = slot + 1 < CAMPAIGNS ? slot + 1 : 0;
      }
      if (decision.maxBidMicros > 0 !== allowed) throw new Error('another kind of decision was measured');
    },
    between: () => {
      if (!allowed) return;
      for (const each of slots) {
        owner.withdrawAllowance(each);
        owner.addAllowance(each, UNITS_MAX);
      }
    },
  };
}

function find(campaigns: number): Prepared {
  const ids = campaignIds(campaigns);
  const { index } = openTable(ids, 1);
  // A step that shares no factor with the number goes through all, in an order that no cache foresees.
  const step = 7919;
  let at = 0;
  return {
    run: (times) => {
      let missed = 0;
      for (let time = 0; time < times; time++) {
        if (index.find(ids[at] as string) < 0) missed++;
        at = (at + step) % campaigns;
      }
      if (missed > 0) throw new Error('a campaign was not found');
    },
  };
}

function tableRead(): Prepared {
  const { owner } = openTable(campaignIds(CAMPAIGNS), 2);
  const sums: LaneSums = { asks: 0, askedMicros: 0, allowed: 0, largestMicros: 0 };
  let slot = 0;
  return {
    run: (times) => {
      for (let time = 0; time < times; time++) {
        owner.sumLanes(slot, sums);
        slot = slot + 1 < CAMPAIGNS ? slot + 1 : 0;
      }
    },
  };
}

function tableWrite(): Prepared {
  const { owner } = openTable(campaignIds(CAMPAIGNS), 1);
  let slot = 0;
  return {
    run: (times) => {
      for (let time = 0; time < times; time++) {
        owner.setPass(slot, 0.5, 0.5);
        owner.setBidCap(slot, 1_000_000);
        owner.fillTokens(slot, 1000, 10_000);
        slot = slot + 1 < CAMPAIGNS ? slot + 1 : 0;
      }
    },
  };
}

interface Accounts {
  readonly list: readonly Account[];
  readonly table: OwnerTable;
  readonly ledger: Ledger;
  readonly clock: { wallMs: number; steadyMs: number };
}

/** Accounts as a shard holds them, all paced over their day. */
function openAccounts(folder: string, count: number): Accounts {
  const table = new OwnerTable(allocateTable(count, 1, 1), 0);
  const ledger = new Ledger(folder, 0, 'commit');
  const clock = { wallMs: START_MS, steadyMs: 1000 };
  const settings: AccountSettings = {
    reservationTtlMs: 120_000,
    breakerRecoveryMs: 300_000,
    breakerProbes: 2,
    table,
    allowances: new Allowances(table),
    dueAtMs: new Float64Array(table.slotCount),
    curves: new CurveCache(),
    history: new LedgerTraffic(ledger, pino({ level: 'silent' })),
    fleet: null,
    hourEnded: () => undefined,
    moved: () => undefined,
  };
  const list = campaignIds(count).map((id, slot) => {
    const campaign: Campaign = campaignOf(id, DAILY_BUDGET_MICROS, { pacingMode: 'EVEN' });
    table.prepare(slot, 0);
    const account = new Account(campaign, slot, null, settings, clock);
    account.publish(clock);
    return account;
  });
  return { list, table, ledger, clock };
}

function controllerTick(folder: string): Prepared {
  const { list, table, ledger, clock } = openAccounts(folder, ACCOUNTS);
  const pacing = new PacingTick(table);
  for (const account of list) pacing.begin(account);
  let at = 0;
  return {
    run: (times) => {
      for (let time = 0; time < times; time++) {
        if (at === 0) passSecond(clock);
        const account = list[at] as Account;
        account.advance(clock);
        pacing.run(account, clock);
        at = at + 1 < list.length ? at + 1 : 0;
      }
    },
    close: () => ledger.close(),
  };
}

/** The wall clock stays within the day: what a day's turn costs is another matter. */
function passSecond(clock: { wallMs: number; steadyMs: number }): Clock {
  clock.steadyMs += TICK_MS;
  clock.wallMs = START_MS + ((clock.wallMs + TICK_MS - START_MS) % (12 * 3_600_000));
  return clock;
}

function accountRecord(folder: string): Prepared {
  const { list, ledger } = openAccounts(folder, ACCOUNTS);
  let at = 0;
  return {
    run: (times) => {
      for (let time = 0; time < times; time++) {
        const account = list[at] as Account;
        account.encode(false);
        account.committed(true);
        at = at + 1 < list.length ? at + 1 : 0;
      }
    },
    close: () => ledger.close(),
  };
}

function diskFlush(folder: string): Prepared {
  const file = openSync(join(folder, 'flushed'), 'w');
  const page = Buffer.alloc(4096, 1);
  return {
    run: (times) => {
      for (let time = 0; time < times; time++) {
        writeSync(file, page, 0, page.length, 0);
        fdatasyncSync(file);
      }
    },
  };
}

function ledgerCommit(folder: string, count: number): Prepared {
  const { list, ledger, clock } = openAccounts(folder, count);
  return {
    run: async (times) => {
      for (let time = 0; time < times; time++) {
        const accounts = list.map((account) => [account.campaign.id, account.encode(false)] as const);
        await ledger.commit({ accounts, campaigns: [], events: new Set(), outbox: new Map() }, clock.wallMs);
        for (const account of list) account.committed(true);
      }
    },
    close: () => ledger.close(),
  };
}
