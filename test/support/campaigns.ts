/** A valid campaign for tests, and a change of one as an operator may order it. */
import type { Campaign } from '../../src/domain/campaign.ts';
import { micros } from '../../src/domain/money.ts';
import type { ChangeOrder } from '../../src/management/change-note.ts';

/** With the fields given changed. */
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
    dayReset: null,
    zoneChange: null,
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

export const someOrder: ChangeOrder = {
  action: 'campaign.patch',
  actor: 'tester',
  requestId: 'request-1',
  reason: null,
};
