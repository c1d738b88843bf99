/**
 * An entry of the outbox as the ledger keeps it. Hours, of which each campaign writes one when it ends, are rows: their
 * fields in a fixed order, without their names, which would be two thirds of what is written and most of what reading them
 * takes. Other entries, and hours that were written before there were rows, stand as they are.
 */
import type { HourRecord } from '../domain/pacing-settings.ts';
import type { OutboxEntry } from './ledger.ts';

/** The first element: what rows with another order of fields would be told by. */
const FORM = 1;

type HourRow = readonly [
  form: number,
  campaignId: string,
  hourStartMs: number,
  localDate: string,
  localHour: number,
  spendMicros: number,
  impressions: number,
  clicks: number,
  wins: number,
  asks: number,
  allowed: number,
  plannedMicros: number,
  budgetMicros: number,
  pacingMode: HourRecord['pacingMode'],
  campaignVersion: number,
  atMs: number,
];

/** What stands in the ledger of an entry. */
export type StoredEntry = HourRow | OutboxEntry;

export function toStored(entry: OutboxEntry): StoredEntry {
  if (entry.kind !== 'hour') return entry;
  const { hour } = entry;
  return [
    FORM,
    hour.campaignId,
    hour.hourStartMs,
    hour.localDate,
    hour.localHour,
    hour.spendMicros,
    hour.impressions,
    hour.clicks,
    hour.wins,
    hour.asks,
    hour.allowed,
    hour.plannedMicros,
    hour.budgetMicros,
    hour.pacingMode,
    hour.campaignVersion,
    hour.atMs,
  ];
}

/** @throws Error for a row of a form that this release does not know */
export function fromStored(stored: StoredEntry): OutboxEntry {
  if (!isRow(stored)) return stored;
  if (stored[0] !== FORM) throw new Error('the ledger was written by a newer release');
  const hour = {
    campaignId: stored[1],
    hourStartMs: stored[2],
    localDate: stored[3],
    localHour: stored[4],
    spendMicros: stored[5],
    impressions: stored[6],
    clicks: stored[7],
    wins: stored[8],
    asks: stored[9],
    allowed: stored[10],
    plannedMicros: stored[11],
    budgetMicros: stored[12],
    pacingMode: stored[13],
    campaignVersion: stored[14],
    atMs: stored[15],
  };
  return { kind: 'hour', hour };
}

function isRow(stored: StoredEntry): stored is HourRow {
  return Array.isArray(stored);
}
