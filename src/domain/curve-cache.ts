/**
 * Target curves are alike for most campaigns of a day: one is built for each kind and shared. Those of campaigns whose
 * own traffic is known are not.
 */
import type { CampaignTerms } from './campaign.ts';
import { buildCurve, type TargetCurve } from './curve.ts';
import type { KnownTraffic } from './day-traffic.ts';
import type { FlightBounds } from './flight.ts';
import type { LocalDay } from './local-day.ts';

const CURVES_MAX = 4_096;

export class CurveCache {
  private readonly curves = new Map<string, TargetCurve>();

  /** @param traffic what is known of the traffic, which only ADAPTIVE plans by; null = nothing */
  curveFor(
    campaign: CampaignTerms,
    day: LocalDay,
    flight: FlightBounds,
    traffic: KnownTraffic | null,
  ): TargetCurve {
    const shape = campaign.pacingMode === 'ADAPTIVE' ? (traffic?.asks ?? null) : null;
    // What says nothing of the supply is the fleet's shape, which many campaigns go by.
    if (shape !== null && traffic?.supply !== null) return curveOf(campaign, day, flight, shape);
    const key = `${keyOf(campaign, day, flight)} ${shape?.join() ?? ''}`;
    const known = this.curves.get(key);
    if (known !== undefined) return known;
    const curve = curveOf(campaign, day, flight, shape);
    if (this.curves.size >= CURVES_MAX) this.curves.clear();
    this.curves.set(key, curve);
    return curve;
  }
}

function curveOf(
  campaign: CampaignTerms,
  day: LocalDay,
  flight: FlightBounds,
  shape: readonly number[] | null,
): TargetCurve {
  return buildCurve({
    mode: campaign.pacingMode,
    day,
    multipliers: campaign.hourMultipliers,
    dayparts: campaign.dayparts,
    flightStartMs: flight.startMs,
    flightEndMs: flight.endMs,
    shape,
  });
}

function keyOf(campaign: CampaignTerms, day: LocalDay, flight: FlightBounds): string {
  const { pacingMode, timezone, hourMultipliers, dayparts } = campaign;
  const from = Math.max(day.startMs, flight.startMs);
  const to = Math.min(day.endMs, flight.endMs);
  const weights = hourMultipliers === null ? '' : JSON.stringify(hourMultipliers);
  const parts = dayparts === null ? '' : JSON.stringify(dayparts);
  return `${pacingMode} ${timezone} ${day.startMs} ${from} ${to} ${weights} ${parts}`;
}
