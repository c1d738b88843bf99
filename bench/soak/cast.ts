/**
 * The campaigns of a soak. Those that are bid on win at most what their bids were allowed to cost, so none of them may
 * ever stand above its budget; those that are only told of are there for events: their budgets are never reached.
 */
import type { TestPod } from '../../test/support/pod.ts';
import { timeIn } from '../../test/support/pod-wait.ts';

export interface SoakCampaign {
  readonly id: string;
  readonly kind: 'bid' | 'told';
  /** Cents that its budget is raised by, period after period, once it is used up: 0 = it is left alone. */
  readonly raiseCents: number;
  readonly fields: Readonly<Record<string, unknown>> & { readonly daily_budget_cents: number };
}

const HUGE_CENTS = 1_000_000_000;
const SMALL_CENTS = 4_000;

/** @param nowMs the beginning: one campaign's day turns with the next full hour */
export function castOf(nowMs: number): SoakCampaign[] {
  const bid = (id: string, fields: SoakCampaign['fields'], raiseCents = 0): SoakCampaign => ({
    id,
    kind: 'bid',
    raiseCents,
    fields,
  });
  const told = (id: string): SoakCampaign => ({
    id,
    kind: 'told',
    raiseCents: 0,
    fields: { daily_budget_cents: HUGE_CENTS },
  });
  const asap = { pacing_mode: 'ASAP', breaker_threshold: 1, daily_budget_cents: SMALL_CENTS };
  return [
    bid('even', { pacing_mode: 'EVEN', daily_budget_cents: 10_000_000 }),
    bid('front-loaded', {
      pacing_mode: 'FRONT_LOADED',
      timezone: 'Asia/Kolkata',
      daily_budget_cents: 8_000_000,
    }),
    bid('adaptive', {
      pacing_mode: 'ADAPTIVE',
      timezone: 'America/New_York',
      daily_budget_cents: 8_000_000,
    }),
    bid('bid-lever', { pacing_mode: 'EVEN', pacing_lever: 'BID', daily_budget_cents: 8_000_000 }),
    bid('asap', { pacing_mode: 'ASAP', daily_budget_cents: HUGE_CENTS }),
    bid('brink-1', asap, SMALL_CENTS),
    bid('brink-2', asap, SMALL_CENTS),
    bid('breaker', { ...asap, breaker_threshold: 0.95 }, SMALL_CENTS),
    bid('midnight', { ...asap, timezone: zoneOfNextMidnight(nowMs), daily_budget_cents: 10 * SMALL_CENTS }),
    bid('total', { ...asap, daily_budget_cents: HUGE_CENTS, total_budget_cents: SMALL_CENTS }, SMALL_CENTS),
    told('told-1'),
    told('told-2'),
    told('told-3'),
  ];
}

export async function createAll(cast: readonly SoakCampaign[], pod: TestPod): Promise<void> {
  for (const { id, fields } of cast) await pod.createCampaign({ timezone: 'UTC', ...fields, id });
}

/** The zone of full hours in which the next full hour is midnight. */
function zoneOfNextMidnight(nowMs: number): string {
  const zones = Array.from({ length: 12 }, (_, at) => [`Etc/GMT-${at + 1}`, `Etc/GMT+${at + 1}`]);
  return ['UTC', ...zones.flat()].find((zone) => timeIn(zone, nowMs).hour === 23) ?? 'UTC';
}
