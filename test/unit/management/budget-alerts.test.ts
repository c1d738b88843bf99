import { pino } from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../../src/domain/app-error.ts';
import { levelOf } from '../../../src/management/budget-alert-rules.ts';
import { BudgetAlerts } from '../../../src/management/budget-alerts.ts';
import type { Alert, AlertResolution } from '../../../src/sinks/postgres/history-rows.ts';

const CENT = 10_000;
const NOON_MS = Date.parse('2026-03-02T12:00:00Z');
const DAY_MS = 86_400_000;

/** One campaign, its owner and its database, all of the test's making. */
let nowMs: number;
let spentCents: number;
let beforeCents: number;
let budgetCents: number;
let present: boolean;
let failure: AppError | null;
let asked: number;
let stored: Map<string, Alert>;
let budgets: BudgetAlerts;

beforeEach(() => {
  nowMs = NOON_MS;
  spentCents = 0;
  beforeCents = 0;
  budgetCents = 100;
  present = true;
  failure = null;
  asked = 0;
  stored = new Map();
  budgets = restarted();
});

function restarted(): BudgetAlerts {
  const standing = () => [...stored.values()].filter(({ resolvedAtMs }) => resolvedAtMs === null);
  return new BudgetAlerts({
    look: () =>
      present ? [{ campaignId: 'c', spentMicros: spentCents * CENT, budgetMicros: budgetCents * CENT }] : [],
    isShown: () => present,
    shards: { status: async () => status() },
    alerts: {
      campaignsWith: async () => (standing().length > 0 ? ['c'] : []),
      standing: async () =>
        standing().map(({ dedupeKey, thresholdPercentage, createdAtMs }) => ({
          campaignId: 'c',
          dedupeKey,
          thresholdPercentage: thresholdPercentage ?? 0,
          createdAtMs,
        })),
    },
    history: { writeAlerts, resolveAlerts },
    log: pino({ level: 'silent' }),
    nowMs: () => nowMs,
  });
}

function status(): string | null {
  asked++;
  if (!present) return null;
  return JSON.stringify({
    status: 'ACTIVE',
    timezone: 'UTC',
    local_day: new Date(nowMs).toISOString().slice(0, 10),
    daily_budget_cents: budgetCents,
    daily_spent_cents: spentCents,
    total_spent_cents: beforeCents + spentCents,
    circuit_breaker_state: 'CLOSED',
  });
}

async function writeAlerts(alerts: readonly Alert[]): Promise<void> {
  if (failure !== null) throw failure;
  for (const alert of alerts) if (!stored.has(alert.dedupeKey)) stored.set(alert.dedupeKey, alert);
}

async function resolveAlerts(resolutions: readonly AlertResolution[]): Promise<void> {
  if (failure !== null) throw failure;
  for (const { keyPrefix, resolvedAtMs } of resolutions) {
    for (const [key, alert] of stored) {
      const over = key.startsWith(keyPrefix) && alert.resolvedAtMs === null;
      if (over) stored.set(key, { ...alert, resolvedAtMs });
    }
  }
}

/** The thresholds that stand, and how many alerts there ever were. */
function standing(): number[] {
  return [...stored.values()]
    .filter((alert) => alert.resolvedAtMs === null)
    .map((a) => a.thresholdPercentage ?? 0);
}

describe('the level of a spend', () => {
  test.each([
    [0, 0],
    [49.9999, 0],
    [50, 50],
    [94.9999, 90],
    [95, 95],
    [100, 100],
    [170, 100],
  ])('of %d in a hundred is %d', (spent, level) => {
    expect(levelOf(spent * CENT, 100 * CENT)).toBe(level);
  });

  test('is 0 without a budget', () => {
    expect(levelOf(5, 0)).toBe(0);
  });
});

describe('budget alerts', () => {
  test('are raised once for each threshold that a day reaches', async () => {
    spentCents = 49;
    await budgets.turn();
    expect(standing()).toEqual([]);
    spentCents = 50;
    await budgets.turn();
    await budgets.turn();
    expect(standing()).toEqual([50]);
    spentCents = 96;
    await budgets.turn();
    spentCents = 100;
    await budgets.turn();
    expect(standing()).toEqual([50, 80, 90, 95, 100]);
    expect([...stored.values()][1]).toMatchObject({
      campaignId: 'c',
      alertType: 'budget_threshold',
      severity: 'warning',
      message: 'c has spent 80% of its daily budget of $1.00 on 2026-03-02',
    });
  });

  test('ask the owner only when a threshold was crossed', async () => {
    spentCents = 60;
    for (let turn = 0; turn < 10; turn++) await budgets.turn();
    expect(asked).toBe(1);
  });

  test('are resolved by the next day, which raises its own, also when it is as far as the last one was', async () => {
    spentCents = 85;
    await budgets.turn();
    nowMs += DAY_MS;
    await budgets.turn();
    expect(standing()).toEqual([50, 80]);
    expect(stored.size).toBe(4);
    nowMs += DAY_MS;
    spentCents = 0;
    await budgets.turn();
    expect(standing()).toEqual([]);
  });

  test('are resolved by a budget raised above them, and raised again when the new one is reached', async () => {
    spentCents = 92;
    await budgets.turn();
    budgetCents = 150;
    await budgets.turn();
    expect(standing()).toEqual([50]);
    spentCents = 120;
    await budgets.turn();
    expect(standing()).toEqual([50, 80]);
    expect(stored.size).toBe(4);
  });

  test('are not raised a second time by a budget that changes a little, also after a restart', async () => {
    spentCents = 85;
    await budgets.turn();
    budgetCents = 101;
    await budgets.turn();
    budgets = restarted();
    await budgets.turn();
    expect(stored.size).toBe(2);
  });

  test('begin again with a day that was reset', async () => {
    spentCents = 55;
    await budgets.turn();
    beforeCents = 55;
    spentCents = 0;
    await budgets.turn();
    expect(standing()).toEqual([]);
    spentCents = 50;
    await budgets.turn();
    expect(standing()).toEqual([50]);
    expect(stored.size).toBe(2);
  });

  test('stay resolved when somebody resolved them by hand', async () => {
    spentCents = 55;
    await budgets.turn();
    for (const [key, alert] of stored) stored.set(key, { ...alert, resolvedAtMs: nowMs });
    await budgets.turn();
    spentCents = 81;
    await budgets.turn();
    expect(standing()).toEqual([80]);
    budgets = restarted();
    await budgets.turn();
    expect(standing()).toEqual([80]);
  });

  test('wait for a database that is down, and lose nothing', async () => {
    spentCents = 80;
    failure = new AppError('unavailable', 'down');
    await budgets.turn();
    await budgets.turn();
    expect(stored.size).toBe(0);
    failure = null;
    await budgets.turn();
    expect(standing()).toEqual([50, 80]);
  });

  test('of a day that ended while nobody watched are resolved at the start', async () => {
    spentCents = 80;
    await budgets.turn();
    nowMs += DAY_MS;
    spentCents = 3;
    budgets = restarted();
    await budgets.turn();
    expect(standing()).toEqual([]);
  });

  test('of a campaign that is gone are resolved within a minute', async () => {
    spentCents = 80;
    await budgets.turn();
    present = false;
    for (let turn = 0; turn < 60; turn++) await budgets.turn();
    expect(standing()).toEqual([]);
  });
});
