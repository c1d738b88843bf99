/**
 * What one local day of a campaign's traffic looked like, hour by hour: how much was asked for, allowed and
 * spent. Kept while the day lasts; when it is over, the campaign's history learns from it (learned-shape.ts).
 */
import type { LearnedDay } from './learned-shape.ts';
import { localDayAt } from './local-day.ts';

const HOURS = 24;
const HEADER_BYTES = 8;
const NUMBERS = 3 * HOURS;
export const DAY_TRAFFIC_BYTES = HEADER_BYTES + NUMBERS * Float32Array.BYTES_PER_ELEMENT;

/** What the past says of a campaign's traffic; weights of the hours 0–23, any scale. */
export interface KnownTraffic {
  /** When bids are asked for: what ADAPTIVE plans by. */
  readonly asks: readonly number[];
  /** When money could be spent, asks times spend per ask: what the supply guard forecasts by; null: no forecast. */
  readonly supply: readonly number[] | null;
}

/** A past day of a campaign. */
export interface EndedDay extends Omit<LearnedDay, 'daysSinceLast'> {
  readonly startMs: number;
}

/** Where the history of campaigns' traffic is kept. */
export interface TrafficHistory {
  /**
   * A local day begins: learns from the one that ended, when there is one, and says what to expect.
   * @returns null before any history
   */
  turn(
    campaignId: string,
    ended: EndedDay | null,
    dayOfWeek: number,
    meanWinMicros: number,
  ): KnownTraffic | null;
  /** Keeps today's traffic so far over a restart. @param today to be copied: its caller uses it again */
  keep(campaignId: string, today: Uint8Array): void;
  /** What was kept last, or null. */
  kept(campaignId: string): Uint8Array | null;
}

/**
 * A typed array takes some 400 bytes beside its numbers, so the days of many campaigns share one. They begin and end at
 * about the same time: when the last of them is over, the array is garbage.
 */
const DAYS_AN_ARRAY = 64;
let shared = new Float32Array(0);
let sharedUsed = 0;

export class DayTraffic implements EndedDay {
  readonly startMs: number;
  readonly dayOfWeek: number;
  /** Three rows of hours from `first` on: asked, allowed, spent. */
  private readonly rows: Float32Array;
  private readonly first: number;

  constructor(startMs: number, dayOfWeek: number) {
    this.startMs = startMs;
    this.dayOfWeek = dayOfWeek;
    if (sharedUsed === shared.length) {
      shared = new Float32Array(DAYS_AN_ARRAY * NUMBERS);
      sharedUsed = 0;
    }
    this.rows = shared;
    this.first = sharedUsed;
    sharedUsed += NUMBERS;
  }

  get asks(): Float32Array {
    return this.row(0);
  }

  get allowedMicros(): Float32Array {
    return this.row(1);
  }

  get spentMicros(): Float32Array {
    return this.row(2);
  }

  count(hour: number, asks: number, allowedMicros: number, spentMicros: number): void {
    const { rows } = this;
    const at = this.first + hour;
    rows[at] = (rows[at] ?? 0) + asks;
    rows[at + HOURS] = (rows[at + HOURS] ?? 0) + allowedMicros;
    rows[at + 2 * HOURS] = (rows[at + 2 * HOURS] ?? 0) + spentMicros;
  }

  /** @param bytes to write it to: of {@link DAY_TRAFFIC_BYTES}, with a buffer of their own */
  encode(bytes = new Uint8Array(DAY_TRAFFIC_BYTES)): Uint8Array {
    const view = new DataView(bytes.buffer);
    view.setFloat64(0, this.startMs, true);
    for (let at = 0; at < NUMBERS; at++) {
      view.setFloat32(HEADER_BYTES + 4 * at, this.rows[this.first + at] as number, true);
    }
    return bytes;
  }

  /** What {@link encode} made; null for anything else. */
  static decode(bytes: Uint8Array, timezone: string): DayTraffic | null {
    if (bytes.length !== DAY_TRAFFIC_BYTES) return null;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const startMs = view.getFloat64(0, true);
    const traffic = new DayTraffic(startMs, localDayAt(timezone, startMs).dayOfWeek);
    for (let at = 0; at < NUMBERS; at++) {
      traffic.rows[traffic.first + at] = view.getFloat32(HEADER_BYTES + 4 * at, true);
    }
    return traffic;
  }

  private row(number: number): Float32Array {
    const from = this.first + number * HOURS;
    return this.rows.subarray(from, from + HOURS);
  }
}
