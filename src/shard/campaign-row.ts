/**
 * A campaign as the ledger keeps it: its fields in a fixed order, without their names, which are three quarters of it.
 * The id is the row's key. Fields are only ever appended: a row that was written before lacks them. What may be any JSON is
 * kept as its text: msgpack renames keys called `__proto__`. Before there were rows the whole campaign was kept, with its
 * names; such ones are read as well, and become rows with their next write.
 */
import type { Campaign } from '../domain/campaign.ts';

/** The first element: what rows with another order of fields would be told by. */
const FORM = 1;

/** The elements after it. */
const FIELDS = [
  'name',
  'dailyBudgetMicros',
  'totalBudgetMicros',
  'startDate',
  'endDate',
  'timezone',
  'pacingMode',
  'pacingLever',
  'status',
  'breakerThreshold',
  'dayparts',
  'hourMultipliers',
  'confidenceGate',
  'dayReset',
  'zoneChange',
  'targeting',
  'creative',
  'version',
  'createdAt',
  // Null: never.
  'updatedAt',
] as const satisfies readonly (keyof Campaign)[];

/** Those of any JSON. */
const TEXTS: ReadonlySet<keyof Campaign> = new Set(['targeting', 'creative']);

/** A row of the form with the values of {@link FIELDS}; the compiler takes none where a field of campaigns is missing there. */
export type CampaignRow =
  Exclude<keyof Campaign, 'id' | (typeof FIELDS)[number]> extends never
    ? readonly [form: typeof FORM, ...values: unknown[]]
    : never;

/** Fields that campaigns got after there were ledgers. */
const ADDED = { hourMultipliers: null, confidenceGate: false, dayReset: null, zoneChange: null } as const;

/** What stands in the ledger of a campaign. */
export type StoredCampaign = CampaignRow | Campaign;

export function toRow(campaign: Campaign): CampaignRow {
  const { createdAt, updatedAt } = campaign;
  const row = { ...campaign, updatedAt: updatedAt === createdAt ? null : updatedAt };
  return [FORM, ...FIELDS.map((name) => (TEXTS.has(name) ? textOf(row[name]) : row[name]))];
}

function textOf(json: unknown): string | null {
  return json === null ? null : JSON.stringify(json);
}

/** @throws Error for a row of a form that this release does not know */
export function fromRow(id: string, stored: StoredCampaign): Campaign {
  if (!isRow(stored)) return { ...ADDED, ...stored };
  const [form, ...values] = stored;
  if (form !== FORM) throw new Error('the ledger was written by a newer release');
  const fields = Object.fromEntries(
    FIELDS.map((name, at) => [name, TEXTS.has(name) ? jsonOf(values[at]) : values[at]]),
  );
  const campaign = { id, ...fields } as Omit<Campaign, 'updatedAt'> & { readonly updatedAt: string | null };
  return { ...campaign, updatedAt: campaign.updatedAt ?? campaign.createdAt };
}

function jsonOf(text: unknown): unknown {
  return typeof text === 'string' ? JSON.parse(text) : null;
}

/** Whether it is in today's form. */
export function isRow(stored: StoredCampaign): stored is CampaignRow {
  return Array.isArray(stored);
}
