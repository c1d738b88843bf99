import { expect, test } from 'vitest';
import { micros } from '../../../src/domain/money.ts';
import { noteOf } from '../../../src/management/change-note.ts';
import { someCampaign, someOrder } from '../../support/campaigns.ts';

test('a change is noted by the fields that it changed, as the API shows them', () => {
  const before = someCampaign({ targeting: { geo: ['DE'] } });
  const after = {
    ...before,
    dailyBudgetMicros: micros(25_000),
    targeting: { geo: ['FR'] },
    hourMultipliers: [{ hour: 3, multiplier: 2 }],
    version: 2,
    updatedAt: '2026-03-02T09:00:00.000Z',
  };
  expect(noteOf({ ...someOrder, reason: 'why' }, before, after)).toEqual({
    ...someOrder,
    reason: 'why',
    before: { daily_budget_cents: 100, targeting: { geo: ['DE'] }, pacing_configs: null },
    after: {
      daily_budget_cents: 2.5,
      targeting: { geo: ['FR'] },
      pacing_configs: [{ hour: 3, multiplier: 2 }],
    },
  });
});

test('a change that changed nothing is noted as such, and a creation by what was set', () => {
  const campaign = someCampaign();
  expect(noteOf(someOrder, campaign, { ...campaign, version: 2 })).toMatchObject({ before: {}, after: {} });
  const created = noteOf(someOrder, null, campaign);
  expect(created.before).toBeNull();
  expect(created.after).toMatchObject({ name: 'Spring', daily_budget_cents: 100, status: 'ACTIVE' });
  for (const field of ['id', 'version', 'total_budget_cents'])
    expect(created.after).not.toHaveProperty(field);
});
