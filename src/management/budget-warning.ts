/** What an operator should know of budgets that were just set: that nothing more is spent on them. */
import type { Campaign } from '../domain/campaign.ts';
import { centsFromMicros } from '../domain/money.ts';

/** @param status of the campaign since then, as JSON; null when no shard has it */
export function budgetWarning(campaign: Campaign, status: string | null): { readonly warning?: string } {
  const warning = status === null ? null : textOf(campaign, status);
  return warning === null ? {} : { warning };
}

function textOf({ dailyBudgetMicros, totalBudgetMicros }: Campaign, status: string): string | null {
  const { daily_spent_cents, total_spent_cents } = JSON.parse(status) as Readonly<Record<string, unknown>>;
  if (totalBudgetMicros === 0) return 'the total budget is 0: nothing is spent';
  if (totalBudgetMicros !== null && Number(total_spent_cents) >= centsFromMicros(totalBudgetMicros))
    return `${total_spent_cents} cents of the total budget are spent already: spending stops`;
  if (dailyBudgetMicros === 0) return 'the daily budget is 0: nothing is spent';
  if (Number(daily_spent_cents) >= centsFromMicros(dailyBudgetMicros))
    return `${daily_spent_cents} cents of the daily budget are spent already: spending stops until tomorrow`;
  return null;
}
