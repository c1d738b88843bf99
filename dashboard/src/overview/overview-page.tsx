/** All campaigns: the fleet in figures, filters, the table. */
import { mayChange } from '../caller.ts';
import { count } from '../format.ts';
import { useLive } from '../live/live-store.ts';
import { linkTo } from '../router.ts';
import { Icon } from '../ui/icon.tsx';
import { Command, Skeleton } from '../ui/notices.tsx';
import { CampaignTable } from './campaign-table.tsx';
import { filterOf, orderOf, passes } from './columns.ts';
import { Filters } from './filters.tsx';
import { FleetStrip } from './fleet-strip.tsx';

export function OverviewPage(props: { readonly query: URLSearchParams; readonly openAlerts: number | null }) {
  const { query, openAlerts } = props;
  const { loaded, campaigns } = useLive();
  const filter = filterOf(query);
  const order = orderOf(query);
  const isEmpty = loaded && campaigns.size === 0;
  let fitting = 0;
  for (const row of campaigns.values()) if (passes(row, filter)) fitting++;
  const all = `${count(campaigns.size)} ${campaigns.size === 1 ? 'campaign' : 'campaigns'}`;
  const shown = fitting === campaigns.size ? all : `${count(fitting)} of ${all}`;
  return (
    <>
      <div class="page-head">
        <h1>Campaigns</h1>
        {mayChange && (
          <div class="actions">
            <a class="button primary" href={linkTo(['new'])}>
              <Icon name="plus" />
              New campaign
            </a>
          </div>
        )}
      </div>
      {isEmpty ? (
        <FirstCampaign />
      ) : (
        <>
          <FleetStrip openAlerts={openAlerts} />
          <Filters filter={filter} order={order} count={loaded ? shown : ''} />
          {loaded ? (
            <CampaignTable filter={filter} order={order} />
          ) : (
            <div class="panel">
              <Skeleton rows={8} />
            </div>
          )}
        </>
      )}
    </>
  );
}

function FirstCampaign() {
  const curl = `curl ${location.origin}/campaigns -d '{
  "id": "camp-001",
  "name": "Spring sale",
  "daily_budget_cents": 100000,
  "timezone": "${Intl.DateTimeFormat().resolvedOptions().timeZone}"
}'`;
  return (
    <section class="panel notice">
      <h2>No campaigns yet</h2>
      <p class="soft">
        Create one{mayChange ? ' with the button above, or' : ''} from a shell. It takes part in decisions as
        soon as the answer is there, and appears here by itself.
      </p>
      <Command text={curl} />
      <p class="soft">
        Only a name and a daily budget are needed; this one may spend $1,000 a day, evenly. To see a pacer at
        work first, stop this one and run <code>npm start -- --demo</code>.
      </p>
    </section>
  );
}
