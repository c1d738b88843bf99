/**
 * The campaigns of a bench, made through the management API: budgets far beyond what any run asks for,
 * and a bid of an impression at $1.50 CPM; ASAP unless told otherwise, so that no decision has a reason to be a denial.
 */

export const BID_CENTS = 0.15;
/** Prices that differ, as bidders' do: between 0.1 and 1.74 cents, in no order. */
const PRICES = 16_381;
export const PRICES_A_CAMPAIGN = 16;

/** The price of the bid with this number, in cents. */
export function priceOf(bid: number): string {
  return (0.1 + ((bid * 7919) % PRICES) / 10_000).toFixed(4);
}

export const DAILY_BUDGET_CENTS = 10_000_000_000;
export const ID_DIGITS = 4;
const REQUESTS_AT_ONCE = 48;

/** `bench-0001` and on. */
export function campaignIds(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `bench-${String(at + 1).padStart(ID_DIGITS, '0')}`);
}

/** Bodies of batches: the elements, so many a body, under the field's name. */
export function batchesOf(field: 'requests' | 'events', elements: readonly string[], size: number): string[] {
  return Array.from({ length: Math.ceil(elements.length / size) }, (_, at) => {
    const own = elements.slice(at * size, (at + 1) * size);
    return `{"${field}":[${own.join(',')}]}`;
  });
}

export async function createCampaigns(
  apiUrl: string,
  ids: readonly string[],
  signal: AbortSignal,
  pacingMode = 'ASAP',
): Promise<void> {
  await forEach(ids, (id) => {
    const campaign = {
      id,
      name: `Bench ${id}`,
      daily_budget_cents: DAILY_BUDGET_CENTS,
      pacing_mode: pacingMode,
    };
    return call(`${apiUrl}/campaigns`, 'POST', JSON.stringify(campaign), 201, signal);
  });
}

export async function deleteCampaigns(
  apiUrl: string,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await forEach(ids, (id) => call(`${apiUrl}/campaigns/${id}`, 'DELETE', null, 200, signal));
}

async function forEach(ids: readonly string[], work: (id: string) => Promise<void>): Promise<void> {
  const waiting = [...ids];
  const worker = async (): Promise<void> => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) await work(id);
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, worker));
}

async function call(
  url: string,
  method: 'POST' | 'DELETE',
  body: string | null,
  expected: number,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch(url, {
    method,
    headers: body === null ? {} : { 'content-type': 'application/json' },
    body,
    signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
  });
  const text = await response.text();
  if (response.status !== expected)
    throw new Error(`${method} ${url} was answered ${response.status}: ${text}`);
}
