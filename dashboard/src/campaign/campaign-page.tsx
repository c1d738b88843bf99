/** One campaign: its money today, why it is paced as it is, its history, and what may be done with it. */
import { useEffect, useRef } from 'preact/hooks';
import { localDayAt } from '../../../src/domain/local-day.ts';
import { AlertList } from '../alerts/alert-list.tsx';
import { ApiError, get, getPage, pathOf } from '../api/client.ts';
import type {
  Alert,
  AuditEntry,
  BudgetStatus,
  Campaign,
  Explanation,
  HourConfig,
  PerformanceRow,
  TrafficShape,
  TrafficSlot,
} from '../api/types.ts';
import { mayChange } from '../caller.ts';
import { clockIn, money, NOTHING, percent, word } from '../format.ts';
import { live, paceOf, useLive } from '../live/live-store.ts';
import { traces } from '../live/traces.ts';
import { linkTo } from '../router.ts';
import { BudgetBar, PaceMark, StatusBadge } from '../ui/badges.tsx';
import { heldBack } from '../ui/held-back.ts';
import { Icon } from '../ui/icon.tsx';
import { useLoad } from '../ui/load.ts';
import { ErrorNotice, Panel, Skeleton } from '../ui/notices.tsx';
import { AuditPanel } from './audit-panel.tsx';
import { BreakerPanel } from './breaker-panel.tsx';
import { CampaignActions } from './campaign-actions.tsx';
import { DayChart } from './day-chart.tsx';
import { DaysPanel, HoursPanel } from './history-panels.tsx';
import { WhyPanel } from './why-panel.tsx';

const STATUS_EVERY_MS = 2_000;
const HISTORY_EVERY_MS = 30_000;
const ALERTS_SHOWN = 30;
const AUDIT_SHOWN = 20;
/** One array, so that a chart need not be drawn anew while nothing has come. */
const NO_SLOTS: readonly TrafficSlot[] = [];

type Explained = BudgetStatus & { readonly explain: Explanation };

interface Described {
  readonly campaign: Campaign;
  readonly configs: readonly HourConfig[];
  /** Learned weights of today's hours, by which an ADAPTIVE campaign is planned; null for the usual ones. */
  readonly shape: readonly number[] | null;
}

export function CampaignPage({ id, query }: { readonly id: string; readonly query: URLSearchParams }) {
  const store = useLive();
  const version = store.campaigns.get(id)?.version ?? 0;
  const described = useLoad(`campaign ${id} ${version}`, () => describe(id));
  const status = useLoad<Explained>(
    `status ${id}`,
    () => get(`${pathOf('/budget/status', id)}?explain=true`),
    STATUS_EVERY_MS,
  );
  const rows = useLoad<readonly PerformanceRow[]>(
    `performance ${id}`,
    () => get(pathOf('/performance', id)),
    HISTORY_EVERY_MS,
  );
  const slots = useLoad<readonly TrafficSlot[]>(
    `traffic ${id}`,
    () => get(pathOf('/pacing/traffic', id)),
    HISTORY_EVERY_MS,
  );
  const alerts = useLoad(
    `alerts ${id} ${store.alertsSeen}`,
    async () => (await getPage<Alert>(`${pathOf('/alerts', id)}?limit=${ALERTS_SHOWN}`)).rows,
    HISTORY_EVERY_MS,
  );
  const audit = useLoad(
    `audit ${id} ${version}`,
    async () =>
      (await getPage<AuditEntry>(`/audit?campaign_id=${encodeURIComponent(id)}&limit=${AUDIT_SHOWN}`)).rows,
  );
  useTrace(id, status.value);

  const campaign = useKept(described.value);
  const keptAlerts = useKept(alerts.value);
  const keptAudit = useKept(audit.value);
  if (campaign === null || status.value === null) {
    const error = described.error ?? status.error;
    return (
      <>
        <Crumb />
        {error === null ? (
          <div class="panel">
            <Skeleton rows={6} />
          </div>
        ) : error instanceof ApiError && error.status === 404 ? (
          <section class="panel notice">
            <h1>No such campaign</h1>
            <p class="soft">
              There is no campaign with the id <code>{id}</code>. It may have been mistyped, or never made
              here.
            </p>
          </section>
        ) : (
          <ErrorNotice error={error} again={described.again} />
        )}
      </>
    );
  }
  const again = () => {
    described.again();
    status.again();
    audit.again();
    rows.again();
  };
  return (
    <Page
      {...campaign}
      status={status.value}
      rows={rows.value ?? []}
      slots={slots.value ?? NO_SLOTS}
      alerts={keptAlerts}
      audit={keptAudit}
      error={status.error ?? rows.error ?? slots.error ?? alerts.error ?? audit.error}
      range={query.get('range') ?? firstRange(campaign.campaign)}
      again={again}
      alertsAgain={alerts.again}
    />
  );
}

interface PageProps extends Described {
  readonly status: Explained;
  readonly rows: readonly PerformanceRow[];
  readonly slots: readonly TrafficSlot[];
  /** null until they are known. */
  readonly alerts: readonly Alert[] | null;
  readonly audit: readonly AuditEntry[] | null;
  readonly error: unknown;
  readonly range: string;
  readonly again: () => void;
  readonly alertsAgain: () => void;
}

function Page(props: PageProps) {
  const { campaign, configs, shape, status, rows, slots, alerts } = props;
  const { audit, error, range, again, alertsAgain } = props;
  const zone = campaign.timezone;
  return (
    <>
      <div class="page-head">
        <div>
          <Crumb />
          <div class="title-line">
            <h1>{campaign.name}</h1>
            <StatusBadge status={campaign.status} />
            <span class="badge">{word(campaign.pacing_mode)}</span>
          </div>
          <p class="facts">
            <span class="mono">{campaign.id}</span>
            <span>
              {clockIn(zone, Date.now())} in {zone}
            </span>
            {campaign.pacing_lever === 'BID' && <span>paced by the bid price</span>}
            <FlightFact campaign={campaign} />
          </p>
        </div>
        {mayChange && campaign.status !== 'DELETED' && (
          <CampaignActions campaign={campaign} configs={configs} status={status} onChanged={again} />
        )}
      </div>
      {error !== null && <ErrorNotice error={error} again={again} />}
      <Figures status={status} />
      <div class="columns">
        <div class="stack">
          <DayChart
            campaign={campaign}
            status={status}
            configs={configs}
            rows={rows}
            slots={slots}
            shape={shape}
            band={bandOf(status)}
            range={range}
          />
          <HoursPanel campaign={campaign} configs={configs} shape={shape} status={status} rows={rows} />
          <DaysPanel rows={rows} timezone={zone} />
        </div>
        <div class="stack">
          <WhyPanel status={status} />
          <BreakerPanel status={status} alerts={alerts ?? []} threshold={campaign.breaker_threshold} />
          <Panel title="Alerts" aside={<span class="soft small">Times in {zone}</span>}>
            {alerts === null ? (
              <Skeleton rows={2} />
            ) : alerts.length === 0 ? (
              <p class="soft">No alert was raised for this campaign.</p>
            ) : (
              <AlertList
                alerts={alerts.slice(0, 8)}
                timezone={zone}
                showsCampaign={false}
                onResolved={alertsAgain}
              />
            )}
          </Panel>
          <AuditPanel entries={audit} timezone={zone} />
        </div>
      </div>
    </>
  );
}

function Figures({ status }: { readonly status: Explained }) {
  const { campaigns } = useLive();
  const row = campaigns.get(status.campaign_id) ?? status;
  const { gate } = status.explain;
  const deniedReason = gate === 'within_budget' || gate === 'probe' ? null : gate;
  // Live rows learn of a projection once a minute, the status whenever it is asked.
  const { projected_spend_cents: projected, projected_exhaustion_at: exhaustion } =
    row.projected_spend_cents === null ? status : row;
  const isPaced = row.status === 'ACTIVE';
  const { total_budget_cents: total, total_spent_cents: totalSpent } = status;
  return (
    <dl class="panel strip campaign-strip">
      <div class="wide">
        <dt>Spent today</dt>
        <dd class="figure">
          {money(row.daily_spent_cents)} <small class="soft">of {money(row.daily_budget_cents)}</small>
        </dd>
        <dd class="bar-cell">
          <BudgetBar figures={row} />
        </dd>
        {total !== null && (
          <dd class="under">
            {money(totalSpent)} of {money(total)} in all
          </dd>
        )}
      </div>
      <div>
        <dt>Pace</dt>
        <dd class="figure pace-figure">{isPaced ? <PaceMark pace={paceOf(row)} /> : NOTHING}</dd>
        <dd class="under">{money(row.target_spent_cents)} wanted by now</dd>
      </div>
      <div>
        <dt>Bids held back</dt>
        <dd class="figure">{heldBack({ ...row, denied_reason: deniedReason })}</dd>
        <dd class="under">{money(row.reserved_cents)} reserved</dd>
      </div>
      <div>
        <dt>Left today</dt>
        <dd class="figure">{money(row.remaining_cents)}</dd>
        <dd class="under">after what is reserved</dd>
      </div>
      <div>
        <dt>At the day’s end</dt>
        <dd class="figure">{projected === null || !isPaced ? NOTHING : money(projected)}</dd>
        <dd class="under">
          {projected === null
            ? 'unknown: too little traffic'
            : exhaustion === null
              ? `${percent(row.daily_budget_cents > 0 ? projected / row.daily_budget_cents : 0)} of the budget`
              : `empty at ${clockIn(status.timezone, new Date(exhaustion))}`}
        </dd>
      </div>
    </dl>
  );
}

/** The day of a campaign that is minutes old would be a straight line. */
function firstRange(campaign: Campaign): string {
  return Date.now() - Date.parse(campaign.created_at) < 1_800_000 ? 'quarter' : 'day';
}

function bandOf({ explain: { projection } }: Explained): readonly [number, number] | null {
  return projection == null ? null : [projection.low_cents, projection.high_cents];
}

function FlightFact({ campaign }: { readonly campaign: Campaign }) {
  const { start_date: start, end_date: end } = campaign;
  if (start === null && end === null) return null;
  return (
    <span>
      flight {start ?? 'since ever'} to {end ?? 'open end'}
    </span>
  );
}

function Crumb() {
  return (
    <a class="crumb" href={linkTo([])}>
      <Icon name="back" />
      All campaigns
    </a>
  );
}

async function describe(id: string): Promise<Described> {
  const [campaign, config] = await Promise.all([
    get<Campaign>(pathOf('/campaigns', id)),
    get<{ pacing_configs: readonly HourConfig[] }>(pathOf('/pacing/config', id)),
  ]);
  const shape = campaign.pacing_mode === 'ADAPTIVE' ? await shapeOf(campaign) : null;
  return { campaign, configs: config.pacing_configs, shape };
}

async function shapeOf({ id, timezone }: Campaign): Promise<readonly number[] | null> {
  const { source, shape } = await get<TrafficShape>(pathOf('/pacing/shape', id));
  const { dayOfWeek } = localDayAt(timezone, Date.now());
  if (source === 'default') return null;
  return shape.find(({ day_of_week }) => day_of_week === dayOfWeek)?.hours ?? null;
}

/** The last value that was there: a change of version loads anew without an empty page in between. */
function useKept<T>(value: T | null): T | null {
  const kept = useRef(value);
  if (value !== null) kept.current = value;
  return kept.current;
}

function useTrace(id: string, status: Explained | null): void {
  useEffect(() => {
    if (status === null) return;
    const {
      asked_cents_per_second: asked,
      allow_cents_per_second: allowed,
      mean_bid_cents: bid,
    } = status.explain;
    const bidsAMinute = (centsPerSecond: number) => (bid > 0 ? (60 * centsPerSecond) / bid : 0);
    traces.add(id, {
      atMs: Date.now(),
      spentCents: live.campaigns.get(id)?.daily_spent_cents ?? status.daily_spent_cents,
      throttle: status.throttle_rate,
      askedPerMinute: bidsAMinute(asked),
      allowedPerMinute: bidsAMinute(Math.min(allowed, asked)),
    });
  }, [id, status]);
}
