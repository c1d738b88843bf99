/** Small marks of state: an icon and a word each, so that none depends on its colour. */
import type { BreakerState, CampaignStatus } from '../api/types.ts';
import { money, percent, plain, word } from '../format.ts';
import type { LiveCampaign, Pace } from '../live/live-store.ts';
import { Icon, type IconName } from './icon.tsx';

const STATUS_ICONS: Readonly<Record<CampaignStatus, IconName>> = {
  ACTIVE: 'play',
  PAUSED: 'pause',
  ENDED: 'stop',
  DELETED: 'cross',
};

export function StatusBadge({ status }: { readonly status: CampaignStatus }) {
  return (
    <span class={`badge ${status === 'ACTIVE' ? 'good' : status === 'PAUSED' ? 'ahead' : ''}`}>
      <Icon name={STATUS_ICONS[status]} />
      {word(status)}
    </span>
  );
}

export function BreakerBadge({
  state,
  reason,
}: {
  readonly state: BreakerState;
  readonly reason?: string | null;
}) {
  if (state === 'CLOSED') return <span class="soft">Closed</span>;
  const title = reason === undefined || reason === null ? undefined : plain(reason);
  return (
    <span class={`badge ${state === 'OPEN' ? 'bad' : 'ahead'}`} title={title}>
      <Icon name="bolt" />
      {state === 'OPEN' ? 'Open' : 'Half-open'}
    </span>
  );
}

const PACE_ICONS: Readonly<Record<Pace['kind'], IconName>> = { ahead: 'up', behind: 'down', level: 'check' };
const SHARE_SHOWN_MAX = 9.99;

/** `▲ 3.1% ahead`, and the money below it. */
export function PaceMark({ pace }: { readonly pace: Pace }) {
  const { kind, gapCents, share } = pace;
  const size = share === null || Math.abs(share) > SHARE_SHOWN_MAX ? '' : `${percent(Math.abs(share), 1)} `;
  return (
    <>
      <span class={`pace ${kind}`}>
        <Icon name={PACE_ICONS[kind]} />
        {kind === 'level' ? 'On plan' : `${size}${kind}`}
      </span>
      <small class="soft">
        {gapCents >= 0 ? '+' : '−'}
        {money(Math.abs(gapCents))}
      </small>
    </>
  );
}

/** What the bar shows, of a status or of a row of the socket. */
export type BudgetFigures = Pick<
  LiveCampaign,
  'daily_budget_cents' | 'daily_spent_cents' | 'reserved_cents' | 'target_spent_cents'
>;

/** Spent, what is reserved after it, and a tick where the plan wants the spend to be. */
export function BudgetBar({ figures }: { readonly figures: BudgetFigures }) {
  const { daily_budget_cents: budget, daily_spent_cents: spent } = figures;
  const { reserved_cents: reserved, target_spent_cents: target } = figures;
  const width = (cents: number) => `${(100 * Math.min(1, budget > 0 ? cents / budget : 1)).toFixed(2)}%`;
  const says = `${money(spent)} spent, ${money(reserved)} reserved, ${money(target)} planned by now, of ${money(budget)}`;
  return (
    <div class="bar" role="img" aria-label={says} title={says}>
      <i class="reserved" style={{ width: width(spent + reserved) }} />
      <i class={`spent ${spent > budget ? 'over' : ''}`} style={{ width: width(spent) }} />
      <i class="tick" style={{ left: width(target) }} />
    </div>
  );
}
