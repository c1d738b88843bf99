/** `GET /performance/{id}`: each hour's planned and actual spend, as JSON or, when asked for, as CSV. */
import type { FastifyInstance } from 'fastify';
import { AppError } from '../domain/app-error.ts';
import { DAY_MS, localDayAt, wallMidnight } from '../domain/local-day.ts';
import { centsFromMicros } from '../domain/money.ts';
import { pacingAccuracy } from '../domain/pacing-accuracy.ts';
import { type CampaignStore, campaignNotFound } from '../sinks/postgres/campaign-store.ts';
import type { HourPerformance, PerformanceStore } from '../sinks/postgres/performance-store.ts';
import { queryOf, refused } from './list-query.ts';
import { pathId } from './request.ts';

const DAYS_DEFAULT = 28;
/** A quarter of a year: at most 2,208 rows. */
const DAYS_MAX = 92;
const DATE_ACCEPTED = "a date as YYYY-MM-DD, in the campaign's time zone";

interface PerformanceRow {
  readonly date: string;
  readonly hour: number;
  readonly planned_spend_cents: number;
  readonly actual_spend_cents: number;
  readonly pacing_accuracy: number | null;
  readonly impressions: number;
  readonly clicks: number;
}

const COLUMNS = [
  'date',
  'hour',
  'planned_spend_cents',
  'actual_spend_cents',
  'pacing_accuracy',
  'impressions',
  'clicks',
] as const satisfies readonly (keyof PerformanceRow)[];

export function addPerformanceRoutes(
  app: FastifyInstance,
  store: CampaignStore,
  performance: PerformanceStore,
): void {
  app.get('/performance/:id', async (request, reply) => {
    const id = pathId(request);
    const campaign = await store.get(id);
    if (campaign === null) throw campaignNotFound(id);
    const { start, end } = datesOf(request.query, localDayAt(campaign.timezone, Date.now()).date);
    const rows = (await performance.hours(id, start, end)).map(wireHour);
    reply.header('vary', 'accept');
    if (!wantsCsv(request.headers.accept)) return rows;
    return reply
      .type('text/csv; charset=utf-8; header=present')
      .header('content-disposition', `attachment; filename="performance-${id.replaceAll(':', '_')}.csv"`)
      .send(csvOf(rows));
  });
}

/** The range asked for, by default the last days until today. @throws AppError `invalid_request`. */
export function datesOf(query: unknown, today: string): { readonly start: string; readonly end: string } {
  const { start_date, end_date } = queryOf(query);
  const endMs = midnightOf('end_date', end_date ?? today);
  const startMs =
    start_date === undefined ? endMs - (DAYS_DEFAULT - 1) * DAY_MS : midnightOf('start_date', start_date);
  if (endMs < startMs) {
    throw new AppError('invalid_request', 'end_date must not be before start_date', 'end_date');
  }
  if (endMs - startMs >= DAYS_MAX * DAY_MS) {
    const message = `at most ${DAYS_MAX} days are accepted, from start_date to end_date (today when absent)`;
    throw new AppError('invalid_request', message, 'start_date');
  }
  return { start: dateOf(startMs), end: dateOf(endMs) };
}

/** Whether CSV is preferred to JSON by an Accept header. */
export function wantsCsv(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const weights = new Map<string, number>();
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const q = parameters.find((parameter) => parameter.startsWith('q='));
    const weight = q === undefined ? 1 : Number(q.slice(2));
    weights.set(type, Number.isFinite(weight) ? weight : 0);
  }
  const csv = weights.get('text/csv') ?? 0;
  return csv > 0 && csv >= (weights.get('application/json') ?? 0);
}

function wireHour(hour: HourPerformance): PerformanceRow {
  return {
    date: hour.date,
    hour: hour.hour,
    planned_spend_cents: centsFromMicros(hour.plannedMicros),
    actual_spend_cents: centsFromMicros(hour.spentMicros),
    pacing_accuracy: pacingAccuracy(hour.spentMicros, hour.plannedMicros),
    impressions: hour.impressions,
    clicks: hour.clicks,
  };
}

/** Dates and numbers only, so nothing needs quotes; null is an empty field. */
function csvOf(rows: readonly PerformanceRow[]): string {
  const lines = rows.map((row) => COLUMNS.map((column) => row[column] ?? '').join(','));
  return [COLUMNS.join(','), ...lines, ''].join('\r\n');
}

function midnightOf(parameter: string, value: unknown): number {
  const midnight = typeof value === 'string' ? wallMidnight(value) : null;
  if (midnight === null) throw refused(parameter, DATE_ACCEPTED);
  return midnight;
}

function dateOf(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}
