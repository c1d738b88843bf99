/**
 * When the end of a campaign's day is worth an alert before it has come: the budget will not be spent, or it will be
 * used up long before the plan ends. Pure. A rule goes by the far end of the projection's range, so that it speaks
 * when the day would have to be unlike nine others in ten to end well; what it said it takes back only when the
 * projection is clearly better, so that it does not come and go.
 */
import type { PacingMode } from '../../domain/campaign.ts';
import type { Alert } from '../../sinks/postgres/history-rows.ts';
import { dollars } from '../budget-alert-rules.ts';

/** Money in micros, times in ms since the epoch. */
export interface CampaignFigures {
  readonly campaignId: string;
  /** Its own on the table, while it is there. */
  readonly slot: number;
  readonly isActive: boolean;
  /** Bids may pass right now. */
  readonly mayBid: boolean;
  readonly mode: PacingMode;
  /** Its local day now, `YYYY-MM-DD`. */
  readonly day: string;
  readonly dayEndMs: number;
  /** Whether the figures are of that day. */
  readonly isOfDay: boolean;
  /** What may be spent today. */
  readonly budgetMicros: number;
  readonly spentMicros: number;
  readonly targetMicros: number;
  /** −1 while too little is known. */
  readonly projectedMicros: number;
  readonly projectedHighMicros: number;
  /** 0 = the budget lasts, or too little is known. */
  readonly exhaustionLatestMs: number;
  /** Ever, of this pod. */
  readonly lateWinTotalMicros: number;
}

/** `unclear` changes nothing; `slow` is a yes that must hold for longer. */
export type Verdict = 'yes' | 'slow' | 'no' | 'unclear';

export interface ProjectionRule {
  readonly alertType: 'under_delivery' | 'early_exhaustion';
  readonly severity: Alert['severity'];
  readonly judge: (figures: CampaignFigures, nowMs: number) => Verdict;
  readonly message: (figures: CampaignFigures) => string;
}

const UNDER_SHARE = 0.95;
const DELIVERED_SHARE = 0.97;
/** A campaign without any spend is behind once the plan wants this share of the day. */
const SILENT_SHARE = 0.02;
const EARLY_MS = 1_800_000;
const IN_TIME_MS = 1_200_000;

export const PROJECTION_RULES: readonly ProjectionRule[] = [
  {
    alertType: 'under_delivery',
    severity: 'warning',
    judge: (figures) => {
      const { isActive, isOfDay, budgetMicros, projectedHighMicros: high } = figures;
      if (!isActive || budgetMicros <= 0) return 'no';
      if (!isOfDay) return 'unclear';
      if (high < 0) return isSilent(figures) ? 'slow' : 'unclear';
      if (high < UNDER_SHARE * budgetMicros) return 'yes';
      return high >= DELIVERED_SHARE * budgetMicros ? 'no' : 'unclear';
    },
    message: ({ campaignId, day, budgetMicros, projectedMicros, projectedHighMicros }) =>
      projectedHighMicros < 0
        ? `${campaignId} may bid on ${day} and has spent nothing of its ${dollars(budgetMicros)}`
        : `${campaignId} will have spent about ${rounded(projectedMicros)}, at most ${rounded(projectedHighMicros)}, ` +
          `of its ${dollars(budgetMicros)} on ${day}: there is too little traffic that it wins`,
  },
  {
    alertType: 'early_exhaustion',
    severity: 'warning',
    judge: ({ isActive, isOfDay, mode, projectedMicros, exhaustionLatestMs, dayEndMs }, nowMs) => {
      if (!isActive || mode === 'ASAP') return 'no'; // ASAP is meant to end early
      if (!isOfDay) return 'unclear';
      if (exhaustionLatestMs === 0) return projectedMicros < 0 ? 'unclear' : 'no';
      if (exhaustionLatestMs <= nowMs) return 'unclear'; // it has come: budget_threshold says so
      if (exhaustionLatestMs < dayEndMs - EARLY_MS) return 'yes';
      return exhaustionLatestMs > dayEndMs - IN_TIME_MS ? 'no' : 'unclear';
    },
    message: ({ campaignId, day, budgetMicros, exhaustionLatestMs }) =>
      `${campaignId} will have used up its ${dollars(budgetMicros)} of ${day} by ${new Date(exhaustionLatestMs).toISOString()}, before its plan ends`,
  },
];

/** Everything that is said of one day and budget is one alert, whichever pod says it. */
export function projectionAlert(rule: ProjectionRule, figures: CampaignFigures, nowMs: number): Alert {
  return {
    dedupeKey: `${dayKey(rule.alertType, figures)}${figures.budgetMicros}`,
    campaignId: figures.campaignId,
    alertType: rule.alertType,
    severity: rule.severity,
    thresholdPercentage: null,
    message: rule.message(figures),
    circuitBreakerState: null,
    createdAtMs: nowMs,
    resolvedAtMs: null,
  };
}

/** What the keys of a campaign's day begin with. */
export function dayKey(alertType: string, { campaignId, day }: CampaignFigures): string {
  return `${alertType}:${campaignId}:${day}:`;
}

function isSilent({ mayBid, spentMicros, targetMicros, budgetMicros }: CampaignFigures): boolean {
  return mayBid && spentMicros === 0 && targetMicros >= SILENT_SHARE * budgetMicros;
}

/** To whole cents: a projection is no more exact. */
function rounded(amountMicros: number): string {
  return dollars(Math.round(amountMicros / 10_000) * 10_000);
}
