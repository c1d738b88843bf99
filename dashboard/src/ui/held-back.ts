import { NOTHING, percent } from '../format.ts';
import type { LiveCampaign } from '../live/live-store.ts';

/** Share of bids that do not pass right now. */
export function heldBack(row: Pick<LiveCampaign, 'status' | 'throttle_rate' | 'denied_reason'>): string {
  if (row.status !== 'ACTIVE') return NOTHING;
  if (row.denied_reason !== null) return 'All';
  const isNearlyAll = row.throttle_rate > 0.99 && row.throttle_rate < 1;
  return percent(row.throttle_rate, isNearlyAll ? 1 : 0);
}
