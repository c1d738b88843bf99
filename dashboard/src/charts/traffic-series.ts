/**
 * The lines of today's throttle and traffic: what the server kept by five minutes, and what this page has seen since it
 * was opened, which is finer. Pure; times in ms.
 */
import type { TrafficSlot } from '../api/types.ts';
import type { Point } from './day-series.ts';

const SECONDS_A_MINUTE = 60;
const MS_A_SECOND = 1_000;

/** What each point is made of, and when it stands for its slot: 0 = its beginning, 1 = its end. */
interface Line {
  readonly valueOf: (slot: TrafficSlot) => number;
  readonly at: number;
  /** Whether time without a slot is time without traffic; else it is unknown. */
  readonly isZeroBetween: boolean;
}

const THROTTLE: Line = { valueOf: ({ throttle_rate }) => throttle_rate, at: 0.5, isZeroBetween: false };
const SPENT: Line = { valueOf: ({ spent_cents }) => spent_cents, at: 1, isZeroBetween: false };
const ASKED: Line = {
  valueOf: ({ asks, seconds }) => (SECONDS_A_MINUTE * asks) / seconds,
  at: 0.5,
  isZeroBetween: true,
};
const ALLOWED: Line = {
  valueOf: ({ allowed, seconds }) => (SECONDS_A_MINUTE * allowed) / seconds,
  at: 0.5,
  isZeroBetween: true,
};

/** Share of bids held back. @param seen what the page has seen itself, in order */
export const throttleLine = (slots: readonly TrafficSlot[], seen: readonly Point[]): Point[] =>
  lineOf(THROTTLE, slots, seen);

/** Spent today, cents. */
export const slotSpentLine = (slots: readonly TrafficSlot[], seen: readonly Point[]): Point[] =>
  lineOf(SPENT, slots, seen);

/** Bids a minute that were asked for. */
export const askedLine = (slots: readonly TrafficSlot[], seen: readonly Point[]): Point[] =>
  lineOf(ASKED, slots, seen);

/** Bids a minute that were let through. */
export const allowedLine = (slots: readonly TrafficSlot[], seen: readonly Point[]): Point[] =>
  lineOf(ALLOWED, slots, seen);

/** Slots are of one length, and begin at multiples of it. */
function lineOf(line: Line, slots: readonly TrafficSlot[], seen: readonly Point[]): Point[] {
  const points: Point[] = [];
  const slotMs = (slots[0]?.seconds ?? 1) * MS_A_SECOND;
  const seenSlots = new Set(seen.map(([at]) => Math.floor(at / slotMs)));
  let lastEndMs = Number.NaN;
  for (const slot of slots) {
    const startMs = Date.parse(slot.start);
    if (line.isZeroBetween && startMs > lastEndMs) points.push([lastEndMs, 0], [startMs, 0]);
    lastEndMs = startMs + slotMs;
    // What the page saw itself is finer.
    if (seenSlots.has(Math.floor(startMs / slotMs))) continue;
    points.push([startMs + line.at * slotMs, line.valueOf(slot)]);
  }
  return [...points, ...seen].sort(([a], [b]) => a - b);
}
