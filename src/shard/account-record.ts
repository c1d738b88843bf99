/**
 * What the ledger keeps of a campaign's money: one record of numbers for each campaign (number-packing.ts), the
 * counters themselves, not changes of them, so there is no log to replay. Fields are only ever appended; a record of an
 * older version reads the missing ones as 0.
 *
 *    0 dayStartMs       4 outstanding     8 spentTotal       12 planAnchorMs       15–22 breaker
 *    1 spentDay         5 impressionsDay  9 lateWinTotal     13 planAnchorMicros   23–32 controller memory
 *    2 hourStartMs      6 clicksDay      10 (unused)         14 planBudget
 *    3 spentHour        7 winsDay        11 overspentTotal
 *
 *   33 asksDay   34 askedDay   35 allowedDay   36–40 impressions, clicks, wins, asks, allowed bids of the hour
 *   41 earlierDay   42 earlierTotal   43 countedFromMs   44–45 spent and planned in the hour before a reset
 *
 * Amounts in micros, times in ms since the epoch. `outstanding` is at least what was reserved and on the
 * table until the next commit.
 */
import { restoreBreaker } from '../domain/breaker.ts';
import type { CampaignRecord } from '../domain/pacing-settings.ts';
import { NO_SPEND_WINDOW } from '../domain/spend-velocity.ts';
import { NumberPacking } from './number-packing.ts';

const FIELDS = 46;

const packing = new NumberPacking(FIELDS);

/** A fresh buffer: the ledger may still be writing the last one. */
export function encodeRecord(record: CampaignRecord): Buffer {
  const { counters, breaker, memory } = record;
  packing.numbers.set([
    counters.dayStartMs,
    counters.spentDayMicros,
    counters.hourStartMs,
    counters.spentHourMicros,
    record.outstandingMicros,
    counters.impressionsDay,
    counters.clicksDay,
    counters.winsDay,
    counters.spentTotalMicros,
    counters.lateWinTotalMicros,
    0,
    counters.overspentTotalMicros,
    record.planAnchorMs,
    record.planAnchorMicros,
    record.planBudgetMicros,
    breaker.position,
    breaker.reason,
    breaker.openedAtMs,
    breaker.latched,
    breaker.guarded,
    breaker.probesSettled,
    breaker.watchedDayMs,
    breaker.watchedBudgetMicros,
    memory.meanWinMicros,
    memory.winCount,
    memory.noticeDelaySeconds,
    memory.delayCount,
    memory.meanBidMicros,
    memory.rho,
    memory.askRate,
    memory.potentialMicros,
    memory.bidCapMicros,
    memory.topBidMicros,
    counters.asksDay,
    counters.askedDayMicros,
    counters.allowedDayMicros,
    counters.impressionsHour,
    counters.clicksHour,
    counters.winsHour,
    counters.asksHour,
    counters.allowedHour,
    counters.earlierDayMicros,
    counters.earlierTotalMicros,
    counters.countedFromMs,
    counters.hourBeforeResetMicros,
    counters.plannedBeforeResetMicros,
  ]);
  return packing.pack();
}

/** @throws Error for what is no record */
export function decodeRecord(buffer: Buffer): CampaignRecord {
  packing.unpack(buffer);
  const field = (at: number): number => packing.numbers[at] as number;
  return {
    counters: {
      dayStartMs: field(0),
      spentDayMicros: field(1),
      hourStartMs: field(2),
      spentHourMicros: field(3),
      impressionsDay: field(5),
      clicksDay: field(6),
      winsDay: field(7),
      asksDay: field(33),
      askedDayMicros: field(34),
      allowedDayMicros: field(35),
      impressionsHour: field(36),
      clicksHour: field(37),
      winsHour: field(38),
      asksHour: field(39),
      allowedHour: field(40),
      spentTotalMicros: field(8),
      lateWinTotalMicros: field(9),
      overspentTotalMicros: field(11),
      earlierDayMicros: field(41),
      earlierTotalMicros: field(42),
      countedFromMs: field(43),
      hourBeforeResetMicros: field(44),
      plannedBeforeResetMicros: field(45),
    },
    outstandingMicros: field(4),
    planAnchorMs: field(12),
    planAnchorMicros: field(13),
    planBudgetMicros: field(14),
    breaker: restoreBreaker({
      failures: 0,
      probesSettled: 0,
      watchedDayMs: field(21),
      watchedBudgetMicros: field(22),
      ...NO_SPEND_WINDOW,
      position: field(15) === 1 ? 1 : field(15) === 2 ? 2 : 0,
      reason: field(16),
      openedAtMs: field(17),
      latched: field(18) === 1 ? 1 : 0,
      guarded: field(19) === 1 ? 1 : 0,
    }),
    memory: {
      meanWinMicros: field(23),
      winCount: field(24),
      noticeDelaySeconds: field(25),
      delayCount: field(26),
      meanBidMicros: field(27),
      rho: field(28),
      askRate: field(29),
      potentialMicros: field(30),
      bidCapMicros: field(31),
      topBidMicros: field(32),
    },
  };
}
