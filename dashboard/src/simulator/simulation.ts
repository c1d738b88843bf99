/** What POST /pacing/simulate is asked and answers, as far as this page needs it. */
import { change } from '../api/client.ts';
import type { PacingMode } from '../api/types.ts';

export interface SimulatedSlot {
  readonly starts_at: string;
  readonly planned_spend_cents: number;
  readonly spend_cents: number;
  readonly spent_today_cents: number;
  readonly throttle_rate: number;
}

export interface SimulatedRun {
  readonly pacing_mode: PacingMode;
  readonly daily_budget_cents: number;
  readonly total_planned_cents: number;
  readonly total_spend_cents: number;
  readonly pacing_accuracy: number | null;
  readonly throttle_rate: number;
  readonly exhaustion_at: string | null;
  readonly slots: readonly SimulatedSlot[];
}

export interface Simulation extends SimulatedRun {
  readonly starts_at: string;
  readonly ends_at: string;
  readonly timezone: string;
  readonly traffic: {
    readonly source: string;
    readonly pattern: string;
    readonly asks_per_day: number;
    readonly win_rate: number;
    readonly win_cents: number;
    readonly potential_cents_per_day: number;
  };
  readonly compared: readonly SimulatedRun[];
}

/** @throws ApiError */
export function simulate(body: Readonly<Record<string, unknown>>): Promise<Simulation> {
  return change<Simulation>('POST', '/pacing/simulate', body);
}

const SOURCES: Readonly<Record<string, string>> = {
  history: 'traffic as in this campaign’s last days',
  assumed: 'assumed traffic that could spend four times the budget, as nothing is known yet',
  given: 'the traffic given here',
  backtest: 'the traffic of that day',
};

export const sourceText = (source: string): string => SOURCES[source] ?? source;
