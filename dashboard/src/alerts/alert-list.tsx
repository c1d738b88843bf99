/** Alerts, with a button to resolve each one that is open. */
import { change, messageOf } from '../api/client.ts';
import type { Alert } from '../api/types.ts';
import { mayChange } from '../caller.ts';
import { momentIn, plain } from '../format.ts';
import { live } from '../live/live-store.ts';
import { campaignLink } from '../router.ts';
import { Icon, type IconName } from '../ui/icon.tsx';
import { toast } from '../ui/toasts.tsx';

const ICONS: Readonly<Record<Alert['severity'], IconName>> = {
  info: 'info',
  warning: 'warning',
  critical: 'warning',
};

export function AlertList(props: {
  readonly alerts: readonly Alert[];
  /** Zone of the times. */
  readonly timezone: string;
  readonly showsCampaign: boolean;
  readonly onResolved: () => void;
}) {
  const { alerts, timezone, showsCampaign, onResolved } = props;
  const resolve = (id: number) => {
    change('POST', `/alerts/${id}/resolve`).then(
      () => {
        toast('Alert resolved.');
        onResolved();
      },
      (error: unknown) => toast(messageOf(error), true),
    );
  };
  return (
    <ul class="events">
      {alerts.map((alert) => (
        <li key={alert.id} class={alert.resolved_at === null ? alert.severity : 'done'}>
          <Icon name={alert.resolved_at === null ? ICONS[alert.severity] : 'check'} />
          <span>{alert.message}</span>
          {mayChange && alert.resolved_at === null && (
            <button
              type="button"
              class="button slim"
              aria-label={`Resolve: ${alert.message}`}
              onClick={() => resolve(alert.id)}
            >
              Resolve
            </button>
          )}
          <span class="when">
            {alert.resolved_at === null ? plain(alert.severity) : 'Resolved'}
            {' · '}
            {momentIn(timezone, alert.created_at)}
            {alert.resolved_at !== null && ` to ${momentIn(timezone, alert.resolved_at)}`}
            {showsCampaign && alert.campaign_id !== null && (
              <>
                {' · '}
                <a href={campaignLink(alert.campaign_id)}>
                  {live.campaigns.get(alert.campaign_id)?.name ?? alert.campaign_id}
                </a>
              </>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}
