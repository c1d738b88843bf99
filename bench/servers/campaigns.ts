/**
 * The campaigns of a bench, made through the management API: budgets far beyond what any run asks for,
 * ASAP, and a bid of an impression at $1.50 CPM, so that no decision has a reason to be a denial.
 */

export const BID_CENTS = 0.15;
const DAILY_BUDGET_CENTS = 10_000_000_000;
const CREATES_AT_ONCE = 16;

/** `bench-0001` and on. */
export function campaignIds(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `bench-${String(at + 1).padStart(4, '0')}`);
}

export async function createCampaigns(
  apiUrl: string,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const waiting = [...ids];
  const creator = async (): Promise<void> => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      await create(apiUrl, id, AbortSignal.any([signal, AbortSignal.timeout(10_000)]));
    }
  };
  await Promise.all(Array.from({ length: CREATES_AT_ONCE }, creator));
}

async function create(apiUrl: string, id: string, signal: AbortSignal): Promise<void> {
  const campaign = {
    id,
    name: `Bench ${id}`,
    daily_budget_cents: DAILY_BUDGET_CENTS,
    pacing_mode: 'ASAP',
  };
  const response = await fetch(`${apiUrl}/campaigns`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(campaign),
    signal,
  });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`creating ${id} was answered ${response.status}: ${text}`);
}
