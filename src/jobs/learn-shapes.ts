/**
 * Learns the traffic shapes of some campaigns from the history of all pods and writes them, in a thread of the job pool:
 * a page of campaigns is tens of thousands of rows. Whoever asked hands what comes back to the shards.
 */

import type { ShapePrior } from '../domain/learned-shape.ts';
import { DAY_MS, wallMidnight } from '../domain/local-day.ts';
import { FLEET_SHAPE_ID } from '../domain/stored-traffic.ts';
import {
  daysOf,
  fleetPriors,
  HISTORY_DAYS,
  type HistoryDay,
  learnTraffic,
} from '../domain/traffic-history.ts';
import type { PostgresAddress } from '../sinks/postgres/client.ts';
import {
  type LearnableCampaign,
  type LearnedShape,
  LearnedShapeStore,
} from '../sinks/postgres/learned-shape-store.ts';
import { PostgresSession } from '../sinks/postgres/session.ts';

/** Campaigns whose days make the fleet's shape. */
const FLEET_SAMPLE = 200;
/** Campaigns whose hours are read at once. */
const READ_AT_ONCE = 50;

export interface LearnOrder {
  readonly address: PostgresAddress;
  readonly campaigns: readonly LearnableCampaign[];
  /** The campaigns' local day that runs now, `YYYY-MM-DD`: the days before it are learned from. */
  readonly today: string;
  readonly nowMs: number;
  readonly priors: readonly ShapePrior[];
}

/** What every campaign's own days are weighed against. */
export interface FleetOrder {
  readonly address: PostgresAddress;
  readonly today: string;
  readonly nowMs: number;
}

/** Learns, writes, and returns what was learned; campaigns without history are passed over. @throws AppError `unavailable`. */
export async function learnShapes(order: LearnOrder): Promise<LearnedShape[]> {
  return withStore(order.address, async (store) => {
    const days = await readDays(store, order.campaigns, order.today);
    const shapes: LearnedShape[] = [];
    for (const { id } of order.campaigns) {
      const learned = learnTraffic(days.get(id) ?? [], order.priors, order.today);
      if (learned !== null) shapes.push({ campaignId: id, learnedAtMs: order.nowMs, ...learned });
    }
    await store.write(shapes);
    return shapes;
  });
}

/** Learns the fleet's shape from a sample of its campaigns, and writes it. @throws AppError `unavailable`. */
export async function learnFleet(order: FleetOrder): Promise<LearnedShape> {
  return withStore(order.address, async (store) => {
    const sample = await store.sample(FLEET_SAMPLE);
    const campaigns: (readonly HistoryDay[])[] = [];
    for (let at = 0; at < sample.length; at += READ_AT_ONCE) {
      const read = await readDays(store, sample.slice(at, at + READ_AT_ONCE), order.today);
      campaigns.push(...read.values());
    }
    const days = campaigns.flat();
    const asks = fleetPriors(campaigns, order.today).map(({ shares }) => Array.from(shares));
    const shape: LearnedShape = {
      campaignId: FLEET_SHAPE_ID,
      learnedAtMs: order.nowMs,
      throughDate: days.reduce((last, { date }) => (date > last ? date : last), dayBefore(order.today, 1)),
      wholeDays: days.length,
      days: days.length,
      asks,
      supply: asks,
      backtest: null,
    };
    await store.write([shape]);
    return shape;
  });
}

async function readDays(
  store: LearnedShapeStore,
  campaigns: readonly LearnableCampaign[],
  today: string,
): Promise<Map<string, HistoryDay[]>> {
  const ids = campaigns.map(({ id }) => id);
  const hours = await store.hours(ids, dayBefore(today, HISTORY_DAYS), dayBefore(today, 1));
  const days = new Map<string, HistoryDay[]>();
  for (const { id, since } of campaigns) {
    const whole = daysOf(hours.get(id) ?? []).filter(({ date }) => date >= since);
    if (whole.length > 0) days.set(id, whole);
  }
  return days;
}

export function dayBefore(date: string, days: number): string {
  return new Date((wallMidnight(date) ?? 0) - days * DAY_MS).toISOString().slice(0, 10);
}

async function withStore<T>(
  address: PostgresAddress,
  use: (store: LearnedShapeStore) => Promise<T>,
): Promise<T> {
  const session = new PostgresSession(address);
  try {
    return await use(new LearnedShapeStore(session));
  } finally {
    await session.close();
  }
}
