/** The breaker today: a line from midnight to midnight, and its moves in words. */
import { localDayAt } from '../../../src/domain/local-day.ts';
import type { Alert, BudgetStatus } from '../api/types.ts';
import { clockIn, percent, plain } from '../format.ts';
import { BreakerBadge } from '../ui/badges.tsx';
import { Panel } from '../ui/notices.tsx';

const BREAKER_ALERT = 'circuit_breaker';
const MOVES_SHOWN = 6;

export function BreakerPanel(props: {
  readonly status: BudgetStatus;
  readonly alerts: readonly Alert[];
  readonly threshold: number;
}) {
  const { status, alerts, threshold } = props;
  const zone = status.timezone;
  const nowMs = Date.now();
  const day = localDayAt(zone, nowMs);
  const share = (at: number) => (100 * (at - day.startMs)) / (day.endMs - day.startMs);
  const isTripped = status.circuit_breaker_state !== 'CLOSED';
  const trips = alerts
    .filter((alert) => alert.alert_type === BREAKER_ALERT)
    .map((alert, at) => ({
      id: alert.id,
      isHalf: alert.circuit_breaker_state === 'HALF_OPEN',
      fromMs: Math.max(day.startMs, Date.parse(alert.created_at)),
      // The newest lasts for as long as the breaker does, also when somebody has resolved its alert.
      toMs: alert.resolved_at === null || (at === 0 && isTripped) ? nowMs : Date.parse(alert.resolved_at),
      alert,
    }))
    .filter(({ toMs }) => toMs > day.startMs);
  const says =
    trips.length === 0
      ? 'The breaker was closed all day'
      : `The breaker was open ${trips.map(({ fromMs, toMs }) => `from ${clockIn(zone, fromMs)} to ${clockIn(zone, toMs)}`).join(', ')}`;
  return (
    <Panel
      title="Breaker"
      aside={<BreakerBadge state={status.circuit_breaker_state} reason={status.circuit_breaker_reason} />}
    >
      <p class="small soft">
        Stops all bids at {percent(threshold)} of the daily budget.
        {status.circuit_breaker_reason !== null && ` Open for: ${plain(status.circuit_breaker_reason)}.`}
      </p>
      <div class="breaker-line" role="img" aria-label={says}>
        {trips.map(({ id, isHalf, fromMs, toMs }) => (
          <i
            key={id}
            class={isHalf ? 'half' : ''}
            style={{ left: `${share(fromMs)}%`, width: `${share(toMs) - share(fromMs)}%` }}
          />
        ))}
        <i class="ahead-of-now" style={{ left: `${share(nowMs)}%`, right: '0' }} />
      </div>
      <div class="breaker-hours small soft" aria-hidden="true">
        <span>00</span>
        <span>12</span>
        <span>24</span>
      </div>
      {trips.length > 0 && (
        <ul class="events small">
          {trips.slice(0, MOVES_SHOWN).map(({ id, alert }) => (
            <li key={id} class="plain-event">
              <span class="soft">{clockIn(zone, new Date(alert.created_at))}</span>
              <span>{alert.message}</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
