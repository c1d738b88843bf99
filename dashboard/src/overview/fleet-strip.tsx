/** The fleet in six figures. */
import { count, money, NOTHING, percent, rate } from '../format.ts';
import { type LiveCampaign, useLive } from '../live/live-store.ts';
import { linkTo } from '../router.ts';

export function FleetStrip({ openAlerts }: { readonly openAlerts: number | null }) {
  const { totals, campaigns } = useLive();
  const fleet = sumOf(campaigns.values());
  const latency = totals?.decision_p50_ms ?? null;
  return (
    <dl class="panel strip" aria-label="All campaigns">
      <Figure
        name="Spent today"
        value={money(totals?.spend ?? fleet.spent)}
        under={`of ${money(fleet.budget)} budget`}
      />
      <Figure
        name="Against plan"
        value={signedMoney(fleet.spent - fleet.target)}
        under={`${money(fleet.target)} wanted by now`}
      />
      <Figure
        name="Decisions"
        value={totals === null ? NOTHING : `${rate(totals.qps)}/s`}
        under={
          totals === null || totals.qps === 0
            ? 'none asked for'
            : `${percent(totals.allowed_per_second / totals.qps)} allowed`
        }
      />
      <Figure
        name="Decision time, p99"
        value={totals?.decision_p99_ms == null ? NOTHING : milliseconds(totals.decision_p99_ms)}
        under={latency === null ? 'no traffic yet' : `p50 ${milliseconds(latency)}`}
      />
      <Figure
        name="Campaigns"
        value={count(campaigns.size)}
        under={`${count(fleet.active)} active, ${count(fleet.tripped)} ${fleet.tripped === 1 ? 'breaker' : 'breakers'} open`}
      />
      <Figure
        name="Open alerts"
        value={openAlerts === null ? NOTHING : openAlerts >= 100 ? '100+' : count(openAlerts)}
        under={<a href={linkTo(['alerts'])}>All alerts</a>}
      />
    </dl>
  );
}

function Figure(props: {
  readonly name: string;
  readonly value: string;
  readonly under: string | preact.JSX.Element;
}) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd class="figure">{props.value}</dd>
      <dd class="under">{props.under}</dd>
    </div>
  );
}

function signedMoney(cents: number): string {
  return `${cents > 0 ? '+' : cents < 0 ? '−' : ''}${money(Math.abs(cents))}`;
}

function milliseconds(ms: number): string {
  return ms < 1 ? `${Math.max(1, Math.round(1000 * ms))} µs` : `${ms.toFixed(1)} ms`;
}

interface FleetSums {
  spent: number;
  target: number;
  budget: number;
  active: number;
  tripped: number;
}

function sumOf(rows: Iterable<LiveCampaign>): FleetSums {
  const sums: FleetSums = { spent: 0, target: 0, budget: 0, active: 0, tripped: 0 };
  for (const row of rows) {
    sums.spent += row.daily_spent_cents;
    if (row.circuit_breaker_state !== 'CLOSED') sums.tripped++;
    if (row.status !== 'ACTIVE') continue;
    sums.active++;
    sums.target += row.target_spent_cents;
    sums.budget += row.daily_budget_cents;
  }
  return sums;
}
