/** Target curves are alike for most campaigns of a day: one is built for each kind and shared. */
import type { CampaignTerms } from './campaign.ts';
import { buildCurve, type TargetCurve } from './curve.ts';
import type { FlightBounds } from './flight.ts';
import type { LocalDay } from './local-day.ts';

const CURVES_MAX = 4_096;

export class CurveCache {
  private readonly curves = new Map<string, TargetCurve>();

  /** @param shape the learned weights of the hours 0–23, which only ADAPTIVE plans by; null = none */
  curveFor(
    campaign: CampaignTerms,
    day: LocalDay,
    flight: FlightBounds,
    shape: readonly number[] | null,
  ): TargetCurve {
    if (shape !== null && campaign.pacingMode === 'ADAPTIVE') return curveOf(campaign, day, flight, shape);
    const key = keyOf(campaign, day, flight);
    const known = this.curves.get(key);
    if (known !== undefined) return known;
    const curve = curveOf(campaign, day, flight, null);
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
