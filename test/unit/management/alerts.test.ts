import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/domain/app-error.ts';
import { ClockWatch } from '../../../src/management/alerts/clock-watch.ts';
import { LateWinAlerts } from '../../../src/management/alerts/late-win-alerts.ts';
import type { CampaignFigures } from '../../../src/management/alerts/projection-alert-rules.ts';
import { ProjectionAlerts } from '../../../src/management/alerts/projection-alerts.ts';
import type { Alert, AlertResolution } from '../../../src/sinks/postgres/history-rows.ts';

const NOON = Date.parse('2026-03-01T12:00:00Z');
const DAY_END = Date.parse('2026-03-02T00:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DOLLAR = 1_000_000;

function figures(changes: Partial<CampaignFigures> = {}): CampaignFigures {
  return {
    campaignId: 'camp-001',
    slot: 0,
    isActive: true,
    mayBid: true,
    mode: 'EVEN',
    day: '2026-03-01',
    dayEndMs: DAY_END,
    isOfDay: true,
    budgetMicros: 100 * DOLLAR,
    spentMicros: 50 * DOLLAR,
    targetMicros: 50 * DOLLAR,
    projectedMicros: 99 * DOLLAR,
    projectedHighMicros: 100 * DOLLAR,
    exhaustionLatestMs: 0,
    lateWinTotalMicros: 0,
    ...changes,
  };
}
const BEHIND = { projectedMicros: 60 * DOLLAR, projectedHighMicros: 80 * DOLLAR };

/** The alerts as a database of them would stand, and a clock that goes on with each turn. */
function watched() {
  const standing = new Map<string, Alert>();
  const ever: string[] = [];
  let isDown = false;
  const refuse = (): void => {
    if (isDown) throw new AppError('unavailable', 'down');
  };
  const parts = {
    alerts: {
      campaignsWith: async (type: string) => {
        refuse();
        const ids = [...standing.values()].filter((alert) => alert.alertType === type);
        return [...new Set(ids.map(({ campaignId }) => campaignId ?? ''))];
      },
      standing: async (type: string, ids: readonly string[]) =>
        [...standing.values()]
          .filter(({ alertType, campaignId }) => alertType === type && ids.includes(campaignId ?? ''))
          .map(({ campaignId, dedupeKey, createdAtMs }) => ({
            campaignId: campaignId ?? '',
            dedupeKey,
            thresholdPercentage: 0,
            createdAtMs,
          })),
    },
    history: {
      writeAlerts: async (alerts: readonly Alert[]) => {
        refuse();
        for (const alert of alerts) {
          if (ever.includes(alert.dedupeKey)) continue;
          ever.push(alert.dedupeKey);
          standing.set(alert.dedupeKey, alert);
        }
      },
      resolveAlerts: async (over: readonly AlertResolution[]) => {
        refuse();
        for (const { keyPrefix } of over) {
          for (const key of standing.keys()) if (key.startsWith(keyPrefix)) standing.delete(key);
        }
      },
    },
    log: pino({ level: 'silent' }),
  };
  let alerts = new ProjectionAlerts(parts);
  let steadyMs = 0;
  return {
    standing: () => [...standing.values()].map(({ alertType }) => alertType).sort(),
    messages: () => [...standing.values()].map(({ message }) => message),
    raisedEver: () => ever.length,
    down: (down: boolean) => {
      isDown = down;
    },
    restart: () => {
      alerts = new ProjectionAlerts(parts);
    },
    /** A turn every ten seconds, for so long. */
    during: async (ms: number, ...campaigns: readonly CampaignFigures[]) => {
      for (const end = steadyMs + ms; steadyMs <= end; steadyMs += 10_000) {
        await alerts.turn(campaigns, NOON + steadyMs, steadyMs);
      }
    },
  };
}

describe('alerts of projections', () => {
  test('are raised once when a day will end below its budget for some minutes, and taken back when it will not', async () => {
    const watch = watched();
    await watch.during(2 * MINUTE, figures(BEHIND));
    expect(watch.standing()).toEqual([]);
    await watch.during(10 * MINUTE, figures(BEHIND));
    expect(watch.standing()).toEqual(['under_delivery']);
    expect(watch.messages()[0]).toContain('about $60.00, at most $80.00, of its $100.00 on 2026-03-01');
    await watch.during(MINUTE, figures({ projectedHighMicros: 96 * DOLLAR }));
    expect(watch.standing()).toEqual(['under_delivery']);
    await watch.during(MINUTE, figures());
    expect(watch.standing()).toEqual([]);
    await watch.during(HOUR, figures(BEHIND));
    expect(watch.raisedEver()).toBe(1);
  });

  test('are raised anew for another budget and for another day', async () => {
    const watch = watched();
    await watch.during(10 * MINUTE, figures(BEHIND));
    const next = { ...BEHIND, day: '2026-03-02' };
    await watch.during(10 * MINUTE, figures(next));
    expect(watch.standing()).toEqual(['under_delivery']);
    expect(watch.messages()[0]).toContain('2026-03-02');
    await watch.during(10 * MINUTE, figures());
    await watch.during(10 * MINUTE, figures({ ...next, budgetMicros: 200 * DOLLAR }));
    expect(watch.raisedEver()).toBe(3);
  });

  test('say that a campaign which may bid has spent nothing, after an hour of that', async () => {
    const watch = watched();
    const unknown = { projectedMicros: -1, projectedHighMicros: -1 };
    const silent = figures({ ...unknown, spentMicros: 0, targetMicros: 5 * DOLLAR });
    await watch.during(50 * MINUTE, silent);
    expect(watch.standing()).toEqual([]);
    await watch.during(20 * MINUTE, silent);
    expect(watch.messages()).toEqual(['camp-001 may bid on 2026-03-01 and has spent nothing of its $100.00']);
    const shut = figures({ ...unknown, spentMicros: 0, mayBid: false, campaignId: 'shut' });
    const early = figures({ ...unknown, spentMicros: 0, targetMicros: DOLLAR, campaignId: 'early' });
    await watch.during(2 * HOUR, silent, shut, early);
    expect(watch.standing()).toHaveLength(1);
  });

  test('say that a budget will be used up long before its day ends, but for ASAP, which is meant to', async () => {
    const watch = watched();
    const exhausted = { exhaustionLatestMs: NOON + 6 * HOUR };
    await watch.during(
      10 * MINUTE,
      figures(exhausted),
      figures({ ...exhausted, mode: 'ASAP', campaignId: 'asap' }),
    );
    expect(watch.standing()).toEqual(['early_exhaustion']);
    expect(watch.messages()[0]).toContain('2026-03-01T18:00:00.000Z');
    await watch.during(MINUTE, figures({ exhaustionLatestMs: DAY_END - 25 * MINUTE }));
    expect(watch.standing()).toEqual(['early_exhaustion']);
    await watch.during(MINUTE, figures({ exhaustionLatestMs: DAY_END - 5 * MINUTE }));
    expect(watch.standing()).toEqual([]);
  });

  test('do not come from paused campaigns, from figures of yesterday, or from campaigns without a budget', async () => {
    const watch = watched();
    const quiet = [{ isActive: false }, { isOfDay: false }, { budgetMicros: 0 }];
    const campaigns = quiet.map((each, at) => figures({ ...BEHIND, ...each, campaignId: `quiet-${at}` }));
    await watch.during(HOUR, ...campaigns);
    expect(watch.raisedEver()).toBe(0);
  });

  test('are over when the campaign is paused or gone, also after a restart', async () => {
    const watch = watched();
    const other = figures({ ...BEHIND, campaignId: 'camp-002' });
    await watch.during(10 * MINUTE, figures(BEHIND), other);
    expect(watch.standing()).toHaveLength(2);
    watch.restart();
    await watch.during(10 * MINUTE, figures({ ...BEHIND, isActive: false }));
    expect(watch.standing()).toEqual([]);
    expect(watch.raisedEver()).toBe(2);
  });

  test('wait while the database is away', async () => {
    const watch = watched();
    watch.down(true);
    await watch.during(10 * MINUTE, figures(BEHIND));
    watch.down(false);
    expect(watch.standing()).toEqual([]);
    await watch.during(MINUTE, figures(BEHIND));
    expect(watch.standing()).toEqual(['under_delivery']);
  });
});

describe('alerts of late wins', () => {
  test('are raised once an hour for more than a hundredth of the budget', () => {
    const late = new LateWinAlerts(2);
    const at = (total: number, nowMs: number) => {
      const found = late.find([figures({ lateWinTotalMicros: total * DOLLAR })], nowMs);
      late.raised(found);
      return found.map(({ dedupeKey }) => dedupeKey);
    };
    expect(at(40, NOON)).toEqual([]); // before this pod began to look
    expect(at(40.9, NOON + 1)).toEqual([]);
    expect(at(41, NOON + 2)).toEqual([`late_wins:camp-001:${NOON}`]);
    expect(at(60, NOON + 3)).toEqual([]);
    expect(at(60, NOON + HOUR)).toEqual([]);
    expect(at(62, NOON + HOUR + 1)).toEqual([`late_wins:camp-001:${NOON + HOUR}`]);
  });

  test('are not raised for what was late before this pod looked, nor for what the last campaign in a slot had', () => {
    const late = new LateWinAlerts(2);
    const find = (campaignId: string, slot: number, dollars: number) =>
      late.find([figures({ campaignId, slot, lateWinTotalMicros: dollars * DOLLAR })], NOON).length;
    expect(find('a', 0, 40)).toBe(0);
    expect(find('b', 1, 50)).toBe(0);
    expect(find('c', 0, 0)).toBe(0);
    expect(find('c', 0, 2)).toBe(1);
    expect(find('b', 1, 50)).toBe(0);
  });

  test('are found again while they could not be written', () => {
    const late = new LateWinAlerts(2);
    late.find([figures()], NOON);
    const campaigns = [figures({ lateWinTotalMicros: 5 * DOLLAR })];
    expect(late.find(campaigns, NOON + 1)).toHaveLength(1);
    expect(late.find(campaigns, NOON + 2)).toMatchObject([{ message: expect.stringContaining('$5.00') }]);
  });
});

describe('alerts of the clock', () => {
  test('are raised when it is set, forward or back, and not while it drifts', () => {
    const watch = new ClockWatch('pod-a');
    expect(watch.look({ wallMs: NOON, steadyMs: 0 })).toBeNull();
    expect(watch.look({ wallMs: NOON + 1_010, steadyMs: 1_000 })).toBeNull();
    expect(watch.look({ wallMs: NOON + HOUR, steadyMs: 2_000 })?.message).toBe(
      'the clock of pod pod-a was set forward by 3598.0 s',
    );
    expect(watch.look({ wallMs: NOON + HOUR + 1_000, steadyMs: 3_000 })).toBeNull();
    expect(watch.look({ wallMs: NOON, steadyMs: 4_000 })?.message).toContain('back by 3602.0 s');
  });

  test('are raised once while it differs from that of the database, and are over when it does not', () => {
    const watch = new ClockWatch('pod-a');
    const compare = (differsMs: number, tookMs = 10) =>
      watch.compare({ wallMs: NOON + differsMs, steadyMs: 0 }, NOON + tookMs / 2, {
        wallMs: NOON + differsMs + tookMs,
        steadyMs: tookMs,
      });
    expect(compare(0).over).toMatchObject({ keyPrefix: 'clock_skew:pod-a:' }); // of before a restart
    expect(compare(4_000)).toEqual({ raised: null, over: null });
    expect(compare(-6_000).raised?.message).toContain('6.0 s behind the database');
    expect(compare(-7_000)).toEqual({ raised: null, over: null });
    expect(compare(0, 2_000)).toEqual({ raised: null, over: null }); // too slow an answer to tell
    expect(compare(1_000).over).not.toBeNull();
  });
});
