import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/domain/app-error.ts';
import { TrafficWatch } from '../../../src/management/traffic-watch.ts';
import type { CampaignSlot } from '../../../src/sinks/postgres/traffic-store.ts';
import { CampaignSlots } from '../../../src/table/campaign-slots.ts';
import { hashId, shardOf } from '../../../src/table/hash.ts';
import { IdIndex } from '../../../src/table/id-index.ts';
import {
  allocateTable,
  GAUGE_SPENT,
  LANE_ALLOWED,
  LANE_ASKS,
  LANE_FIELDS,
  lanesOf,
} from '../../../src/table/layout.ts';
import { OwnerTable } from '../../../src/table/pacing-table.ts';

const NOON = Date.parse('2026-03-03T12:00:00Z');
const SLOT_MS = 300_000;
const ids = Array.from({ length: 20 }, (_, at) => `a${at}`);

function pod() {
  const memory = allocateTable(64, 2, 2);
  const index = new IdIndex(memory);
  const owners = [0, 1].map((shard) => new OwnerTable(memory, shard));
  const lanes = lanesOf(memory);
  const written: [startMs: number, readonly CampaignSlot[]][] = [];
  const state = { nowMs: NOON, isDown: false, forgotten: 0 };
  const watch = () =>
    new TrafficWatch({
      memory,
      slots: new CampaignSlots(memory),
      source: 'pod-a',
      nowMs: () => state.nowMs,
      log: pino({ level: 'silent' }),
      store: {
        write: async (source, startMs, campaigns) => {
          expect(source).toBe('pod-a');
          if (state.isDown) throw new AppError('unavailable', 'the database is down');
          written.push([startMs, campaigns]);
        },
        forgetOld: async () => {
          state.forgotten++;
        },
        close: async () => undefined,
      },
    });
  const add = (id: string, place = id.charCodeAt(0) % 16) => {
    const owner = owners[shardOf(hashId(id), 2)] as OwnerTable;
    const slot = owner.firstSlot + place;
    owner.prepare(slot, 0);
    index.insert(id, slot);
    return {
      bid: (edge: number, asks: number, allowed: number, throttle = 0) => {
        const lane = lanes[edge] as Float64Array;
        lane[slot * LANE_FIELDS + LANE_ASKS] = (lane[slot * LANE_FIELDS + LANE_ASKS] ?? 0) + asks;
        lane[slot * LANE_FIELDS + LANE_ALLOWED] = (lane[slot * LANE_FIELDS + LANE_ALLOWED] ?? 0) + allowed;
        owner.setPass(slot, 1 - throttle, throttle);
      },
      remove: () => index.remove(id),
      spend: (micros: number) => owner.setGauge(slot, GAUGE_SPENT, micros),
    };
  };
  return { state, watch, add, written };
}

describe('the traffic of five minutes', () => {
  it('is what all edges counted in them, of campaigns that were asked for, written when they are over', async () => {
    const { state, watch, add, written } = pod();
    const a = add('a');
    add('b');
    a.bid(0, 5, 5);
    const traffic = watch();
    a.bid(0, 100, 80, 0.2);
    traffic.look();
    a.bid(1, 300, 120, 0.6);
    a.spend(7_000_000);
    traffic.look();
    await traffic.flush();
    expect(written).toEqual([]);
    state.nowMs += SLOT_MS;
    traffic.look();
    await traffic.flush();
    expect(written).toEqual([
      [
        NOON,
        [
          {
            campaignId: 'a',
            asks: 400,
            allowed: 200,
            throttle: expect.closeTo(0.5, 6),
            spentMicros: 7_000_000,
          },
        ],
      ],
    ]);
    state.nowMs += SLOT_MS;
    traffic.look();
    await traffic.flush();
    expect(written).toHaveLength(1);
    expect(state.forgotten).toBe(1);
  });

  it('waits while the database does not answer, for an hour at most, and is written in its order', async () => {
    const { state, watch, add, written } = pod();
    const a = add('a');
    const traffic = watch();
    state.isDown = true;
    for (let slot = 0; slot < 15; slot++) {
      a.bid(0, slot + 1, 0);
      traffic.look();
      await traffic.flush();
      state.nowMs += SLOT_MS;
    }
    traffic.look();
    state.isDown = false;
    await traffic.flush();
    expect(written.map(([, [campaign]]) => campaign?.asks)).toEqual(
      Array.from({ length: 12 }, (_, at) => at + 4),
    );
  });

  it('is told of no other campaign than the one that was asked for', async () => {
    const { state, watch, add, written } = pod();
    const [first, next] = ids.filter((id) => shardOf(hashId(id), 2) === 0);
    const [a, b] = [add(first ?? '', 3), add('b', 4)];
    const traffic = watch();
    a.bid(0, 3, 2);
    b.bid(0, 5, 4);
    traffic.look();
    a.remove();
    add(next ?? '', 3).bid(0, 7, 6);
    state.nowMs += SLOT_MS;
    traffic.look();
    await traffic.flush();
    expect(written).toMatchObject([[NOON, [{ campaignId: 'b', asks: 5, allowed: 4 }]]]);
    state.nowMs += SLOT_MS;
    traffic.look();
    await traffic.flush();
    expect(written[1]).toMatchObject([NOON + SLOT_MS, [{ campaignId: next, asks: 7, allowed: 6 }]]);
  });

  it('is written also of five minutes that are not over when the pod stops', async () => {
    const { watch, add, written } = pod();
    const a = add('a');
    const traffic = watch();
    a.bid(0, 3, 2);
    await traffic.close();
    expect(written).toMatchObject([[NOON, [{ campaignId: 'a', asks: 3, allowed: 2 }]]]);
  });
});
