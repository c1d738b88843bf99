/** `GET /performance/{id}`: each hour's planned and actual spend, as JSON or, when asked for, as CSV. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { AppError } from '../domain/app-error.ts';
import { DAY_MS, localDayAt, wallMidnight } from '../domain/local-day.ts';
import { centsFromMicros } from '../domain/money.ts';
import { pacingAccuracy } from '../domain/pacing-accuracy.ts';
import { type CampaignStore, campaignNotFound } from '../sinks/postgres/campaign-store.ts';
import type { LearnedShapeStore } from '../sinks/postgres/learned-shape-store.ts';
import type { HourPerformance, PerformanceStore } from '../sinks/postgres/performance-store.ts';
import { id, localDate } from './field-rules.ts';
import { addOperation } from './operation.ts';
import { addVary } from './response-headers.ts';
import { shownCents, shownCount, shownDate, shownRatio } from './shown-fields.ts';

const DAYS_DEFAULT = 28;
/** A quarter of a year: at most 2,208 rows. */
const DAYS_MAX = 92;

const DATE_SHOWN = "In the campaign's time zone.";

export const performanceQuery = z.object({
  start_date: localDate
    .optional()
    .describe(`${DATE_SHOWN} Absent: so that the range has ${DAYS_DEFAULT} days.`),
  end_date: localDate
    .optional()
    .describe(`${DATE_SHOWN} Absent: today. The range has at most ${DAYS_MAX} days.`),
});

type PerformanceQuery = z.output<typeof performanceQuery>;

const performanceRow = z
  .strictObject({
    date: shownDate,
    hour: z.int().min(0).max(23).describe('One that the clocks show twice is one.'),
    planned_spend_cents: shownCents,
    actual_spend_cents: shownCents,
    pacing_accuracy: shownRatio.nullable().describe('null when nothing was planned or spent.'),
    impressions: shownCount,
    clicks: shownCount,
  })
  .meta({ id: 'HourPerformance' });

type PerformanceRow = z.output<typeof performanceRow>;

const COLUMNS = [
  'date',
  'hour',
  'planned_spend_cents',
  'actual_spend_cents',
  'pacing_accuracy',
  'impressions',
  'clicks',
] as const satisfies readonly (keyof PerformanceRow)[];

const EXAMPLE: PerformanceRow = {
  date: '2026-03-01',
  hour: 9,
  planned_spend_cents: 4_166.6667,
  actual_spend_cents: 4_000,
  pacing_accuracy: 0.96,
  impressions: 26_666,
  clicks: 41,
};

export function addPerformanceRoutes(
  app: FastifyInstance,
  store: CampaignStore,
  performance: PerformanceStore,
  shapes: LearnedShapeStore | null,
): void {
  addOperation(
    app,
    {
      method: 'GET',
      url: '/performance/:id',
      operationId: 'getPerformance',
      tag: 'Insight',
      summary: 'Planned and actual spend of each hour, as JSON or CSV',
      description: 'Hours with neither a plan nor spend, impressions or clicks are left out.',
      params: z.object({ id }),
      query: performanceQuery,
      answer: {
        description: 'The hours, in their order; with `Accept: text/csv` as CSV.',
        body: z.array(performanceRow),
        example: [EXAMPLE],
        other: { 'text/csv': csvOf([EXAMPLE]) },
        headers: ['Content-Disposition', 'X-Forecast-Error', 'X-Forecast-Error-Mean'],
      },
      errors: ['campaign_not_found', 'unavailable'],
    },
    async ({ params, query }, request, reply) => {
      const campaign = await store.get(params.id);
      if (campaign === null) throw campaignNotFound(params.id);
      const { start, end } = datesOf(query, localDayAt(campaign.timezone, Date.now()).date);
      const rows = (await performance.hours(params.id, start, end)).map(wireHour);
      addVary(reply, 'accept');
      const backtest = (await shapes?.get(params.id))?.backtest;
      if (backtest !== undefined && backtest !== null) {
        reply.header('x-forecast-error', backtest.error.toFixed(4));
        reply.header('x-forecast-error-mean', backtest.meanError.toFixed(4));
      }
      if (!wantsCsv(request.headers.accept)) return rows;
      const file = `performance-${params.id.replaceAll(':', '_')}.csv`;
      return reply
        .type('text/csv; charset=utf-8; header=present')
        .header('content-disposition', `attachment; filename="${file}"`)
        .send(csvOf(rows));
    },
  );
}

/** The range asked for, by default the last days until today. @throws AppError `invalid_request`. */
export function datesOf(
  { start_date, end_date }: PerformanceQuery,
  today: string,
): { readonly start: string; readonly end: string } {
  const endMs = midnightOf(end_date ?? today);
  const startMs = start_date === undefined ? endMs - (DAYS_DEFAULT - 1) * DAY_MS : midnightOf(start_date);
  if (endMs < startMs) {
    throw new AppError(
      'invalid_request',
      'end_date (today when absent) must not be before start_date',
      'end_date',
    );
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

function midnightOf(date: string): number {
  const midnight = wallMidnight(date);
  if (midnight === null) throw new RangeError('not a date after the check');
  return midnight;
}

function dateOf(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}
