/** A valid campaign for tests, with the fields given changed. */
import type { Campaign } from '../../src/domain/campaign.ts';
import { micros } from '../../src/domain/money.ts';

export function someCampaign(changes: Partial<Campaign> = {}): Campaign {
  return {
    id: 'camp-001',
    name: 'Spring',
    dailyBudgetMicros: micros(1_000_000),
    totalBudgetMicros: null,
    startDate: null,
    endDate: null,
    timezone: 'UTC',
    pacingMode: 'EVEN',
    pacingLever: 'THROTTLE',
    status: 'ACTIVE',
    breakerThreshold: 0.95,
    confidenceGate: false,
    dayparts: null,
    hourMultipliers: null,
    targeting: null,
    creative: null,
    version: 1,
    createdAt: '2026-03-01T09:00:00.000Z',
    updatedAt: '2026-03-01T09:00:00.000Z',
    ...changes,
  };
}
