/**
 * The campaigns as a table of which only the rows in sight exist. Figures follow the socket at once; the order is
 * settled anew every two seconds, and not while a pointer or the focus is in it, so that no row moves away from under
 * a hand.
 */
import { useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import { clockIn, count, money, NOTHING, percent, word } from '../format.ts';
import { type LiveCampaign, live, paceOf, useLive } from '../live/live-store.ts';
import { campaignLink, refine } from '../router.ts';
import { BreakerBadge, BudgetBar, PaceMark, StatusBadge } from '../ui/badges.tsx';
import { heldBack } from '../ui/held-back.ts';
import { Icon } from '../ui/icon.tsx';
import { useMatch } from '../ui/match.ts';
import {
  COLUMNS,
  type Column,
  columnName,
  type Filter,
  type Order,
  orderQuery,
  passes,
  sortRows,
} from './columns.ts';

const ROW_HEIGHT = 52;
const CARD_HEIGHT = 160;
const NARROW = '(max-width: 1020px)';
/** Rows kept above and below those in sight. */
const MARGIN_ROWS = 6;
const SETTLE_MS = 2_000;
const RIGHT: readonly Column[] = ['throttle'];

export function CampaignTable({ filter, order }: { readonly filter: Filter; readonly order: Order }) {
  const store = useLive();
  const box = useRef<HTMLDivElement>(null);
  const rowHeight = useMatch(NARROW) ? CARD_HEIGHT : ROW_HEIGHT;
  const ids = useSettledOrder(filter, order, store.membership, box);
  const [from, to] = useRowsInSight(box, ids.length, rowHeight);
  const shown = ids.slice(from, to);
  return (
    <>
      <p class="visually-hidden" role="status">
        {count(ids.length)} campaigns
      </p>
      <div class="panel campaigns" role="table" aria-label="Campaigns" aria-rowcount={ids.length + 1}>
        <div role="rowgroup">
          <div class="head" role="row" aria-rowindex={1}>
            {COLUMNS.map((column) => (
              <HeadCell key={column} column={column} order={order} />
            ))}
          </div>
        </div>
        <div
          class="body"
          role="rowgroup"
          ref={box}
          style={{ height: `${ids.length * rowHeight}px` }}
          onKeyDown={(event) => moveFocus(event, box.current, rowHeight)}
        >
          {shown.map((id, at) => {
            const row = store.campaigns.get(id);
            if (row === undefined) return null;
            return <Row key={id} row={row} index={from + at} top={(from + at) * rowHeight} />;
          })}
        </div>
      </div>
      {ids.length === 0 && <p class="soft">No campaign fits these filters.</p>}
    </>
  );
}

function HeadCell({ column, order }: { readonly column: Column; readonly order: Order }) {
  const isSorted = order.column === column;
  const sorted = !isSorted ? 'none' : order.descending ? 'descending' : 'ascending';
  const turn = () => refine(isSorted ? orderQuery(column, !order.descending) : orderQuery(column));
  return (
    <div
      role="columnheader"
      tabIndex={-1}
      class={`${column} ${RIGHT.includes(column) ? 'right' : ''}`}
      aria-sort={sorted}
    >
      <button type="button" onClick={turn}>
        {columnName(column)}
        {isSorted && <Icon name={order.descending ? 'down' : 'up'} />}
      </button>
    </div>
  );
}

function Row({
  row,
  index,
  top,
}: {
  readonly row: LiveCampaign;
  readonly index: number;
  readonly top: number;
}) {
  const tripped = row.circuit_breaker_state !== 'CLOSED';
  const isPaced = row.status === 'ACTIVE';
  return (
    <div
      class={`row ${tripped ? 'tripped' : ''}`}
      role="row"
      aria-rowindex={index + 2}
      data-index={index}
      style={{ top: `${top}px` }}
    >
      <div class="name" role="cell">
        <a class="truncate" href={campaignLink(row.campaign_id)}>
          {row.name}
        </a>
        <span class="soft truncate">{row.campaign_id}</span>
      </div>
      <div class="state two" role="cell">
        <span>
          <StatusBadge status={row.status} />
        </span>
        <small>{word(row.pacing_mode)}</small>
      </div>
      <div class="money budget" role="cell">
        <div class="legend">
          <span>
            {money(row.daily_spent_cents)} <span class="soft">of {money(row.daily_budget_cents)}</span>
          </span>
          <span class="soft">{shareText(shareOf(row.daily_spent_cents, row.daily_budget_cents))}</span>
        </div>
        <BudgetBar figures={row} />
      </div>
      <div class="pacing two" role="cell">
        {isPaced ? <PaceMark pace={paceOf(row)} /> : <span class="soft">{NOTHING}</span>}
      </div>
      <div class="throttle two right" role="cell">
        <span>{heldBack(row)}</span>
        <small class="narrow-only">{isPaced ? 'held back' : ''}</small>
      </div>
      <div class="breaker" role="cell">
        <span class="narrow-only soft">Breaker</span>
        <BreakerBadge state={row.circuit_breaker_state} reason={row.circuit_breaker_reason} />
      </div>
      <div class="projection two" role="cell">
        <span class="narrow-only soft">Day’s end</span>
        <Projection row={row} />
      </div>
    </div>
  );
}

function Projection({ row }: { readonly row: LiveCampaign }) {
  const { projected_spend_cents: projected, projected_exhaustion_at: exhaustion } = row;
  if (projected === null || row.status !== 'ACTIVE') return <span class="soft">{NOTHING}</span>;
  return (
    <>
      <span>{money(projected)}</span>
      <small>
        {exhaustion === null ? (
          <>
            {percent(shareOf(projected, row.daily_budget_cents))}
            <span class="wide-only"> of budget</span>
          </>
        ) : (
          `empty at ${clockIn(row.timezone, new Date(exhaustion))}`
        )}
      </small>
    </>
  );
}

const shareText = (share: number): string => percent(share, share > 0 && share < 0.0995 ? 1 : 0);

const shareOf = (cents: number, budget: number): number => (budget > 0 ? cents / budget : 0);

/** The ids in order, settled now and then; at once when the filter, the order or the campaigns change. */
function useSettledOrder(
  filter: Filter,
  order: Order,
  membership: number,
  box: { readonly current: HTMLElement | null },
): readonly string[] {
  const [turn, settle] = useReducer((turns: number) => turns + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => {
      const inUse = box.current?.matches(':hover, :focus-within') === true;
      if (!inUse && !document.hidden) settle(undefined);
    }, SETTLE_MS);
    return () => clearInterval(timer);
  }, [box]);
  const { text, status, mode, state } = filter;
  const { column, descending } = order;
  return useMemo(() => {
    const rows: LiveCampaign[] = [];
    for (const row of live.campaigns.values()) if (passes(row, { text, status, mode, state })) rows.push(row);
    return sortRows(rows, { column, descending }).map((row) => row.campaign_id);
  }, [text, status, mode, state, column, descending, membership, turn]);
}

function useRowsInSight(
  box: { readonly current: HTMLElement | null },
  rows: number,
  rowHeight: number,
): readonly [number, number] {
  const [sight, setSight] = useState<readonly [number, number]>([0, 40]);
  useEffect(() => {
    const look = () => {
      const top = box.current?.getBoundingClientRect().top ?? 0;
      const first = Math.max(0, Math.floor(-top / rowHeight) - MARGIN_ROWS);
      const last = Math.ceil((innerHeight - top) / rowHeight) + MARGIN_ROWS;
      setSight((old) => (old[0] === first && old[1] === last ? old : [first, last]));
    };
    look();
    addEventListener('scroll', look, { passive: true });
    addEventListener('resize', look);
    return () => {
      removeEventListener('scroll', look);
      removeEventListener('resize', look);
    };
  }, [box, rowHeight]);
  return [Math.min(sight[0], Math.max(0, rows - 1)), Math.max(0, Math.min(sight[1], rows))];
}

/** Arrow keys go from campaign to campaign, also to one that is not in sight yet. */
function moveFocus(event: KeyboardEvent, box: HTMLElement | null, rowHeight: number): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  const row = (event.target as HTMLElement).closest<HTMLElement>('[data-index]');
  if (step === 0 || row === null || box === null) return;
  const wanted = box.querySelector<HTMLElement>(`[data-index="${Number(row.dataset.index) + step}"]`);
  if (wanted === null) return;
  event.preventDefault();
  wanted.querySelector('a')?.focus({ preventScroll: true });
  const { top, bottom } = wanted.getBoundingClientRect();
  if (top < 3 * rowHeight || bottom > innerHeight - rowHeight) scrollBy({ top: step * rowHeight });
}
