/**
 * A campaign as a shard keeps it. One that was read from the ledger or came from another thread has its own copy of
 * every word in it. Kept, a campaign has its id and budgets, and the terms that most others have too in one copy: mode,
 * lever, status, zone, flight, dayparts. That takes a third of the memory.
 */
import type { Campaign, CampaignTerms } from './campaign.ts';
import type { Micros } from './money.ts';

/** What many campaigns have alike. */
type SharedTerms = Pick<CampaignTerms, (typeof SHARED)[number]>;

const SHARED = [
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
] as const;

/** With more kinds of terms than this, sharing begins anew: what is shared must not grow for ever. */
const TERMS_MAX = 4_096;

const known = new Map<string, SharedTerms>();

/** What pacing goes by of a campaign. */
export function keptCampaign(campaign: Campaign): CampaignTerms {
  return new KeptCampaign(campaign);
}

class KeptCampaign implements CampaignTerms {
  readonly id: string;
  readonly dailyBudgetMicros: Micros;
  readonly totalBudgetMicros: Micros | null;
  readonly version: number;
  private readonly created: Instant;
  private readonly terms: SharedTerms;

  constructor(campaign: Campaign) {
    this.id = campaign.id;
    this.dailyBudgetMicros = campaign.dailyBudgetMicros;
    this.totalBudgetMicros = campaign.totalBudgetMicros;
    this.version = campaign.version;
    this.created = instantOf(campaign.createdAt);
    this.terms = sharedTerms(campaign);
  }

  get startDate() {
    return this.terms.startDate;
  }

  get endDate() {
    return this.terms.endDate;
  }

  get timezone() {
    return this.terms.timezone;
  }

  get pacingMode() {
    return this.terms.pacingMode;
  }

  get pacingLever() {
    return this.terms.pacingLever;
  }

  get status() {
    return this.terms.status;
  }

  get breakerThreshold() {
    return this.terms.breakerThreshold;
  }

  get dayparts() {
    return this.terms.dayparts;
  }

  get hourMultipliers() {
    return this.terms.hourMultipliers;
  }

  get confidenceGate() {
    return this.terms.confidenceGate;
  }

  get dayReset() {
    return this.terms.dayReset;
  }

  get zoneChange() {
    return this.terms.zoneChange;
  }

  get createdAt() {
    return typeof this.created === 'string' ? this.created : new Date(this.created).toISOString();
  }
}

/** Milliseconds, of which the text can be made again; or the text, where it is written in another way. */
type Instant = number | string;

function instantOf(text: string): Instant {
  const atMs = Date.parse(text);
  return Number.isFinite(atMs) && new Date(atMs).toISOString() === text ? atMs : text;
}

function sharedTerms(campaign: Campaign): SharedTerms {
  const key = JSON.stringify(SHARED.map((name) => campaign[name]));
  const shared = known.get(key);
  if (shared !== undefined) return shared;
  if (known.size >= TERMS_MAX) known.clear();
  const terms = Object.fromEntries(SHARED.map((name) => [name, campaign[name]])) as SharedTerms;
  known.set(key, terms);
  return terms;
}
