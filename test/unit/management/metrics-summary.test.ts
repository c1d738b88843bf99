import { describe, expect, test } from 'vitest';
import { TRIP_REASONS } from '../../../src/domain/breaker.ts';
import {
  GATE_OPEN,
  REASON_PAUSED,
  REASON_THROTTLED,
  REASON_WITHIN_BUDGET,
} from '../../../src/domain/gate.ts';
import { MetricsSummary } from '../../../src/management/metrics-summary.ts';
import { CampaignSlots } from '../../../src/table/campaign-slots.ts';
import { hashId, shardOf } from '../../../src/table/hash.ts';
import { IdIndex } from '../../../src/table/id-index.ts';
import { allocateTable, GAUGE_SPENT, GAUGE_TARGET } from '../../../src/table/layout.ts';
import { allocateMeters, Meters } from '../../../src/table/meters.ts';
import { OwnerTable } from '../../../src/table/pacing-table.ts';
import {
  BREAKER_REASONS,
  EDGE_METERS,
  ENDPOINT_DECISION,
  SHARD_BREAKERS_MOVED,
  SHARD_DEGRADED_SINCE_MS,
  SHARD_METERS,
} from '../../../src/table/thread-meters.ts';

const CENT = 10_000;

function pod() {
  const memory = {
    table: allocateTable(64, 2, 1),
    edgeMeters: [allocateMeters(EDGE_METERS), allocateMeters(EDGE_METERS)],
    shardMeters: [allocateMeters(SHARD_METERS), allocateMeters(SHARD_METERS)],
  };
  const index = new IdIndex(memory.table);
  const owners = [0, 1].map((shard) => new OwnerTable(memory.table, shard));
  const taken = [0, 0];
  return {
    summary: new MetricsSummary(memory, new CampaignSlots(memory.table)),
    edges: memory.edgeMeters.map((meters) => new Meters(EDGE_METERS, meters)),
    shards: memory.shardMeters.map((meters) => new Meters(SHARD_METERS, meters)),
    add: (id: string, gate: number, spentCents: number, targetCents: number) => {
      const shard = shardOf(hashId(id), 2);
      const owner = owners[shard] as OwnerTable;
      const slot = owner.firstSlot + (taken[shard] ?? 0);
      taken[shard] = (taken[shard] ?? 0) + 1;
      owner.prepare(slot, 0);
      owner.setGate(slot, gate);
      owner.setGauge(slot, GAUGE_SPENT, spentCents * CENT);
      owner.setGauge(slot, GAUGE_TARGET, targetCents * CENT);
      index.insert(id, slot);
    },
  };
}

describe('the summary of the metrics', () => {
  test('of a pod that has nothing to do is all zeros, with an accuracy that is not known', () => {
    expect(pod().summary.read(1_000)).toEqual({
      active_campaigns: 0,
      total_spend_today_cents: 0,
      avg_pacing_accuracy: null,
      total_circuit_trips: 0,
      decisions_per_second: 0,
      throttled_per_second: 0,
      degraded: false,
    });
  });

  test('counts what is active, and all that was spent today', () => {
    const { summary, add } = pod();
    add('on-plan', GATE_OPEN, 100, 100);
    add('behind', GATE_OPEN, 50, 100);
    add('untouched', GATE_OPEN, 0, 0);
    add('paused', REASON_PAUSED, 30.5, 100);
    expect(summary.read(0)).toMatchObject({
      active_campaigns: 3,
      total_spend_today_cents: 180.5,
      avg_pacing_accuracy: 0.75,
    });
  });

  test('has the rates of the last seconds, not of a longer past', () => {
    const { summary, edges } = pod();
    const [first, second] = edges as [Meters, Meters];
    first.add(REASON_WITHIN_BUDGET, 1_000_000);
    for (let second1 = 0; second1 <= 10; second1++) {
      summary.look(second1 * 1_000);
      first.add(REASON_WITHIN_BUDGET, 90);
      second.add(REASON_THROTTLED, 10);
    }
    expect(summary.read(11_000)).toMatchObject({ decisions_per_second: 100, throttled_per_second: 10 });
    for (let second2 = 11; second2 <= 20; second2++) summary.look(second2 * 1_000);
    expect(summary.read(21_000)).toMatchObject({ decisions_per_second: 0, throttled_per_second: 0 });
  });

  test('counts openings of breakers, not closings, and says when a shard is degraded', () => {
    const { summary, shards } = pod();
    const [first, second] = shards as [Meters, Meters];
    BREAKER_REASONS.forEach((_, at) => {
      first.add(SHARD_BREAKERS_MOVED + at, 1);
    });
    expect(summary.read(0).total_circuit_trips).toBe(TRIP_REASONS.length - 1);
    second.set(SHARD_DEGRADED_SINCE_MS, 5);
    expect(summary.read(0).degraded).toBe(true);
  });

  test('tells what share of the last decisions was allowed, and how long they took', () => {
    const { summary, edges } = pod();
    const [edge] = edges;
    edge?.observe(ENDPOINT_DECISION, 0.5);
    summary.look(0);
    expect(summary.decisions(1_000)).toEqual({ allowedPerSecond: 0, p50Ms: null, p99Ms: null });
    edge?.add(REASON_WITHIN_BUDGET, 98);
    for (let request = 0; request < 98; request++) edge?.observe(ENDPOINT_DECISION, 0.00008);
    for (let request = 0; request < 2; request++) edge?.observe(ENDPOINT_DECISION, 0.004);
    const { allowedPerSecond, p50Ms, p99Ms } = summary.decisions(2_000);
    expect(allowedPerSecond).toBe(49);
    expect(p50Ms).toBeGreaterThan(0.05);
    expect(p50Ms).toBeLessThanOrEqual(0.1);
    expect(p99Ms).toBeGreaterThan(2.5);
    expect(p99Ms).toBeLessThanOrEqual(5);
  });
});
