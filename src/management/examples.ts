/** What the document shows for a campaign, wherever one is asked for or answered. */
import type { ShownCampaign } from './campaign-bodies.ts';

export const EXAMPLE_ID = 'camp-001';

export const NEW_CAMPAIGN_EXAMPLE = {
  id: EXAMPLE_ID,
  name: 'Spring sale',
  daily_budget_cents: 100_000,
  timezone: 'America/New_York',
};

export const CAMPAIGN_EXAMPLE: ShownCampaign = {
  ...NEW_CAMPAIGN_EXAMPLE,
  total_budget_cents: null,
  start_date: '2026-03-01',
  end_date: null,
  pacing_mode: 'EVEN',
  pacing_lever: 'THROTTLE',
  status: 'ACTIVE',
  breaker_threshold: 0.95,
  confidence_gate: false,
  dayparts: [{ start_hour: 8, end_hour: 22 }],
  targeting: { geo: ['US'] },
  creative: null,
  version: 1,
  created_at: '2026-03-01T09:00:00.000Z',
  updated_at: '2026-03-01T09:00:00.000Z',
};
