/**
 * What this page has seen of each campaign today, at most one point each ten seconds and campaign, so that a page that
 * is open all day can draw what the hourly history is too coarse for. Bounded: points of a day, campaigns, memory.
 */
import type { LiveCampaign } from './live-store.ts';

export interface TracePoint {
  readonly atMs: number;
  readonly spentCents: number;
  readonly throttle: number;
  /** Bids asked for a minute; null when the page had not asked. */
  readonly askedPerMinute: number | null;
  readonly allowedPerMinute: number | null;
}

const POINT_MS = 10_000;
/** Beyond so many campaigns only those that somebody looked at keep more than their last points. */
const CAMPAIGNS_MAX = 500;
const POINTS_MAX = 8_640;

class Traces {
  readonly #points = new Map<string, TracePoint[]>();

  note(
    campaignId: string,
    atMs: number,
    row: Pick<LiveCampaign, 'daily_spent_cents' | 'throttle_rate'>,
  ): void {
    const last = this.#points.get(campaignId)?.at(-1);
    if (last !== undefined && atMs - last.atMs < POINT_MS) return;
    this.add(campaignId, {
      atMs,
      spentCents: row.daily_spent_cents,
      throttle: row.throttle_rate,
      askedPerMinute: null,
      allowedPerMinute: null,
    });
  }

  add(campaignId: string, point: TracePoint): void {
    let points = this.#points.get(campaignId);
    if (points === undefined) {
      if (this.#points.size >= CAMPAIGNS_MAX) {
        const [oldest] = this.#points.keys();
        if (oldest !== undefined) this.#points.delete(oldest);
      }
      points = [];
      this.#points.set(campaignId, points);
    }
    points.push(point);
    if (points.length > POINTS_MAX) points.splice(0, points.length - POINTS_MAX);
  }

  since(campaignId: string, fromMs: number): readonly TracePoint[] {
    return (this.#points.get(campaignId) ?? []).filter((point) => point.atMs >= fromMs);
  }
}

export const traces = new Traces();
