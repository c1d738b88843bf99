/** The alerts of all campaigns and pods. */
import { useState } from 'preact/hooks';
import { getPage } from '../api/client.ts';
import type { Alert } from '../api/types.ts';
import { useLive } from '../live/live-store.ts';
import { refine } from '../router.ts';
import { useLoad } from '../ui/load.ts';
import { ErrorNotice, Skeleton } from '../ui/notices.tsx';
import { AlertList } from './alert-list.tsx';

const PAGE_ROWS = 50;
const EVERY_MS = 15_000;

export function AlertsPage({ query }: { readonly query: URLSearchParams }) {
  const { alertsSeen } = useLive();
  const showsAll = query.get('show') === 'all';
  const [pages, setPages] = useState(1);
  const rows = pages * PAGE_ROWS;
  const { value, error, again } = useLoad(
    `alerts ${showsAll} ${rows} ${alertsSeen}`,
    () => getPage<Alert>(`/alerts?unresolved_only=${!showsAll}&limit=${Math.min(1000, rows)}`),
    EVERY_MS,
  );
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Alerts</h1>
          <p class="facts">Times in {zone}, as this browser has it</p>
        </div>
        <div class="segments">
          <button type="button" aria-pressed={!showsAll} onClick={() => refine({ show: '' })}>
            Open
          </button>
          <button type="button" aria-pressed={showsAll} onClick={() => refine({ show: 'all' })}>
            All
          </button>
        </div>
      </div>
      {error !== null && <ErrorNotice error={error} again={again} />}
      <section class="panel panel-body" aria-label="Alerts">
        {value === null && error === null && <Skeleton rows={5} />}
        {value?.rows.length === 0 && (
          <p class="soft">{showsAll ? 'No alert was ever raised.' : 'No open alerts: nothing needs you.'}</p>
        )}
        {value !== null && <AlertList alerts={value.rows} timezone={zone} showsCampaign onResolved={again} />}
      </section>
      {value !== null && value.nextCursor !== null && rows < 1000 && (
        <button type="button" class="button" onClick={() => setPages(pages + 1)}>
          Show more
        </button>
      )}
    </>
  );
}
