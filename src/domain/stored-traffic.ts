/**
 * What was learned of a campaign's traffic from the history of all pods, as a shard keeps it, and how it goes together
 * with what this pod learned by itself: each counts by the days it stands on. A campaign with neither is planned by
 * the fleet's shape; that says when bids may come, not how much this campaign's traffic carries.
 */
import type { KnownTraffic } from './day-traffic.ts';
import type { WeekShape } from './traffic-history.ts';

const HOURS = 24;
const WEEKDAYS = 7;
const WEEK_HOURS = WEEKDAYS * HOURS;
const VERSION = 1;
/** Encoded: version, days, asks and supply by weekday and hour; float32, little-endian. */
const BYTES = 4 * (2 + 2 * WEEK_HOURS);

/** Stands for the fleet in place of a campaign's id. */
export const FLEET_SHAPE_ID = '*';

export interface StoredTraffic {
  /** Or {@link FLEET_SHAPE_ID}. */
  readonly campaignId: string;
  /** Days it stands on, each by its weight. */
  readonly days: number;
  /** Shares of a day's asks. */
  readonly asks: WeekShape;
  /** Asks times spend per ask, any scale. */
  readonly supply: WeekShape;
}

/** What a pod has learned by itself of a campaign. */
export interface LearnedHere {
  readonly traffic: KnownTraffic;
  /** Days it stands on, each by its weight. */
  readonly days: number;
}

export function encodeStoredTraffic({ days, asks, supply }: StoredTraffic): Uint8Array {
  const bytes = new Uint8Array(BYTES);
  const view = new DataView(bytes.buffer);
  view.setFloat32(0, VERSION, true);
  view.setFloat32(4, days, true);
  [...asks.flat(), ...supply.flat()].forEach((weight, at) => {
    view.setFloat32(8 + 4 * at, weight, true);
  });
  return bytes;
}

/** What {@link encodeStoredTraffic} made, or null for bytes of another version or that none could be. */
export function decodeStoredTraffic(campaignId: string, bytes: Uint8Array): StoredTraffic | null {
  if (bytes.length !== BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getFloat32(0, true) !== VERSION) return null;
  const week = (from: number): WeekShape =>
    Array.from({ length: WEEKDAYS }, (_, day) =>
      Array.from({ length: HOURS }, (_, hour) => view.getFloat32(8 + 4 * (from + HOURS * day + hour), true)),
    );
  const stored = { campaignId, days: view.getFloat32(4, true), asks: week(0), supply: week(WEEK_HOURS) };
  const weights = [stored.days, ...stored.asks.flat(), ...stored.supply.flat()];
  return weights.every((weight) => weight >= 0 && weight < Number.POSITIVE_INFINITY) ? stored : null;
}

/** What to expect of campaigns without any history: of each weekday, Sunday first, the same for all of them. */
export function fleetTraffic(fleet: StoredTraffic | null): KnownTraffic[] {
  return (fleet?.asks ?? []).map((asks) => ({ asks, supply: null }));
}

/**
 * What to expect of a weekday, or null when nothing is known.
 * @param fleet of the weekday, taken when there is neither own nor stored
 */
export function blendTraffic(
  own: LearnedHere | null,
  stored: StoredTraffic | null,
  fleet: KnownTraffic | null,
  dayOfWeek: number,
): KnownTraffic | null {
  const asks = stored?.asks[dayOfWeek];
  const supply = stored?.supply[dayOfWeek];
  if (stored === null || asks === undefined || supply === undefined || !(stored.days > 0)) {
    return own === null ? fleet : own.traffic;
  }
  if (own === null) return { asks, supply };
  const share = stored.days / (stored.days + own.days);
  return {
    asks: mixed(own.traffic.asks, asks, share),
    supply: own.traffic.supply === null ? supply : mixed(own.traffic.supply, supply, share),
  };
}

/** Both normalised: they may be of different scales. */
function mixed(own: readonly number[], stored: readonly number[], share: number): number[] {
  const ownSum = sumOf(own);
  const storedSum = sumOf(stored);
  if (!(ownSum > 0)) return [...stored];
  if (!(storedSum > 0)) return [...own];
  return own.map((weight, hour) => {
    return ((1 - share) * weight) / ownSum + (share * (stored[hour] ?? 0)) / storedSum;
  });
}

function sumOf(weights: readonly number[]): number {
  return weights.reduce((sum, weight) => sum + weight, 0);
}
