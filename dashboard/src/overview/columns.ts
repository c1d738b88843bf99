/** The columns of the overview: how each is sorted. */
import { type LiveCampaign, paceOf } from '../live/live-store.ts';

export const COLUMNS = ['name', 'status', 'spent', 'pace', 'throttle', 'breaker', 'projection'] as const;
export type Column = (typeof COLUMNS)[number];

export interface Order {
  readonly column: Column;
  readonly descending: boolean;
}

const NAMES: Readonly<Record<Column, string>> = {
  name: 'Campaign',
  status: 'Status',
  spent: 'Spent today',
  pace: 'Pace',
  throttle: 'Held back',
  breaker: 'Breaker',
  projection: 'Day’s end',
};

export const columnName = (column: Column): string => NAMES[column];

const BREAKERS = ['CLOSED', 'HALF_OPEN', 'OPEN'];
const STATUSES = ['ACTIVE', 'PAUSED', 'ENDED', 'DELETED'];

/** What a column is sorted by; names by themselves. */
const KEYS: Readonly<Record<Exclude<Column, 'name'>, (row: LiveCampaign) => number>> = {
  status: (row) => STATUSES.indexOf(row.status),
  spent: (row) => row.daily_spent_cents,
  pace: (row) => paceOf(row).gapCents / Math.max(1, row.daily_budget_cents),
  throttle: (row) => row.throttle_rate,
  breaker: (row) => BREAKERS.indexOf(row.circuit_breaker_state),
  projection: (row) =>
    row.projected_spend_cents === null ? -1 : row.projected_spend_cents / Math.max(1, row.daily_budget_cents),
};

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** Sorts in place; ties by name. */
export function sortRows(rows: LiveCampaign[], { column, descending }: Order): LiveCampaign[] {
  const sign = descending ? -1 : 1;
  const byName = (a: LiveCampaign, b: LiveCampaign) =>
    collator.compare(a.name, b.name) || (a.campaign_id < b.campaign_id ? -1 : 1);
  if (column === 'name') return rows.sort((a, b) => sign * byName(a, b));
  const key = KEYS[column];
  return rows.sort((a, b) => sign * (key(a) - key(b)) || byName(a, b));
}

export function orderOf(query: URLSearchParams): Order {
  const column = COLUMNS.find((name) => name === query.get('sort')) ?? 'name';
  return { column, descending: query.get('order') === 'desc' };
}

/** The URL's parameters of an order: names by themselves; figures are mostly looked for from the largest down. */
export function orderQuery(column: Column, descending = isLargestFirst(column)): Record<string, string> {
  return { sort: column === 'name' && !descending ? '' : column, order: descending ? 'desc' : '' };
}

const isLargestFirst = (column: Column): boolean => column !== 'name' && column !== 'status';

/** What the overview shows of all campaigns. */
export interface Filter {
  readonly text: string;
  readonly status: string;
  readonly mode: string;
  /** `attention` or a kind of pace. */
  readonly state: string;
}

export function filterOf(query: URLSearchParams): Filter {
  return {
    text: query.get('q') ?? '',
    status: query.get('status') ?? '',
    mode: query.get('mode') ?? '',
    state: query.get('state') ?? '',
  };
}

export function passes(row: LiveCampaign, { text, status, mode, state }: Filter): boolean {
  if (status !== '' && row.status !== status) return false;
  if (mode !== '' && row.pacing_mode !== mode) return false;
  if (state === 'tripped' && row.circuit_breaker_state === 'CLOSED') return false;
  if ((state === 'ahead' || state === 'behind') && (row.status !== 'ACTIVE' || paceOf(row).kind !== state))
    return false;
  if (text === '') return true;
  const wanted = text.toLowerCase();
  return row.name.toLowerCase().includes(wanted) || row.campaign_id.toLowerCase().includes(wanted);
}
