/** The shell: the bar on top, what holds for all pages, and the page that the URL names. */
import { useEffect, useRef } from 'preact/hooks';
import { AlertsPage } from './alerts/alerts-page.tsx';
import { ApiError, getPage } from './api/client.ts';
import type { Alert } from './api/types.ts';
import { caller, mayChange } from './caller.ts';
import { CampaignPage } from './campaign/campaign-page.tsx';
import { CampaignFormPage } from './edit/campaign-form-page.tsx';
import { ago } from './format.ts';
import { live, useLive } from './live/live-store.ts';
import { OverviewPage } from './overview/overview-page.tsx';
import { linkTo, type Place, usePlace } from './router.ts';
import { SimulatorPage } from './simulator/simulator-page.tsx';
import { ThemeButton } from './theme.tsx';
import { Icon } from './ui/icon.tsx';
import { useLoad } from './ui/load.ts';
import { useMatch } from './ui/match.ts';
import { ErrorNotice } from './ui/notices.tsx';
import { Toasts } from './ui/toasts.tsx';

const OPEN_ALERTS_MAX = 100;
/** Too narrow for all pages and an account beside each other. */
const NARROW = '(max-width: 720px)';
const ALERTS_EVERY_MS = 20_000;

export function App() {
  const place = usePlace();
  const { alertsSeen } = useLive();
  const openAlerts = useLoad<readonly Alert[]>(
    `open alerts ${alertsSeen}`,
    async () => (await getPage<Alert>(`/alerts?unresolved_only=true&limit=${OPEN_ALERTS_MAX}`)).rows,
    ALERTS_EVERY_MS,
  );
  usePageBegin(place);
  const isNarrow = useMatch(NARROW);
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        Skip to content
      </button>
      <TopBar place={place} openAlerts={openAlerts.value?.length ?? 0} showsAccount={!isNarrow} />
      <main id="main" class="page" tabIndex={-1}>
        {isNarrow && caller.asks_for_login && (
          <div class="account-line">
            <Account />
          </div>
        )}
        <Banners />
        {isLoggedOut(openAlerts.error) && <ErrorNotice error={openAlerts.error} />}
        <PageOf place={place} openAlerts={openAlerts.value} />
      </main>
      <Toasts />
    </>
  );
}

const TITLES: Readonly<Record<string, string>> = {
  new: 'New campaign',
  simulator: 'Simulator',
  alerts: 'Alerts',
};

/** A page that is gone to begins at its top, has a title of its own, and takes the focus that its link had. */
function usePageBegin({ steps }: Place): void {
  const page = steps.join('/');
  const isFirst = useRef(true);
  useEffect(() => {
    scrollTo(0, 0);
    if (!isFirst.current) {
      const main = document.getElementById('main');
      (main?.querySelector<HTMLElement>('[autofocus]') ?? main)?.focus({ preventScroll: true });
    }
    isFirst.current = false;
  }, [page]);
  const [section = '', id = ''] = steps;
  const name = section === 'campaigns' ? (live.campaigns.get(id)?.name ?? id) : TITLES[section];
  useEffect(() => {
    document.title = name === undefined ? 'Budget pacer' : `${name} · Budget pacer`;
  }, [name]);
}

function isLoggedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

function skip(): void {
  document.getElementById('main')?.focus();
}

function PageOf({
  place,
  openAlerts,
}: {
  readonly place: Place;
  readonly openAlerts: readonly Alert[] | null;
}) {
  const [section, id, part] = place.steps;
  if (section === 'campaigns' && id !== undefined) {
    if (part === 'edit' && mayChange) return <CampaignFormPage key={id} id={id} />;
    return <CampaignPage key={id} id={id} query={place.query} />;
  }
  if (section === 'new' && mayChange) return <CampaignFormPage id={null} />;
  if (section === 'alerts') return <AlertsPage query={place.query} />;
  if (section === 'simulator') return <SimulatorPage query={place.query} />;
  return <OverviewPage query={place.query} openAlerts={openAlerts?.length ?? null} />;
}

function TopBar(props: {
  readonly place: Place;
  readonly openAlerts: number;
  readonly showsAccount: boolean;
}) {
  const { place, openAlerts, showsAccount } = props;
  const section = place.steps[0] ?? '';
  const current = (sections: readonly string[]) =>
    sections.includes(section) ? { 'aria-current': 'page' as const } : {};
  return (
    <header class="top">
      <div class="top-inner">
        <a class="brand" href={linkTo([])} aria-label="Budget pacer, all campaigns">
          <img src="/favicon.svg" alt="" />
          <span>Budget pacer</span>
        </a>
        <nav aria-label="Pages">
          <a href={linkTo([])} {...current(['', 'campaigns', 'new'])}>
            Campaigns
          </a>
          <a href={linkTo(['simulator'])} {...current(['simulator'])}>
            Simulator
          </a>
          <a href={linkTo(['alerts'])} {...current(['alerts'])}>
            Alerts
            {openAlerts > 0 && (
              <span class="badge bad">
                {openAlerts >= OPEN_ALERTS_MAX ? `${OPEN_ALERTS_MAX}+` : openAlerts}
              </span>
            )}
          </a>
          <a class="docs" href="/docs">
            API
          </a>
        </nav>
        <div class="top-right">
          <LiveState />
          <ThemeButton />
          {showsAccount && caller.asks_for_login && <Account />}
        </div>
      </div>
    </header>
  );
}

function Account() {
  const leave = () => {
    fetch('/logout', { method: 'POST' }).then(
      () => location.assign('/login'),
      () => location.reload(),
    );
  };
  return (
    <>
      <span
        class="soft small account"
        title={`${caller.name} may ${mayChange ? 'read and change' : 'read only'}`}
      >
        {caller.name}
        {mayChange ? '' : ' (read only)'}
      </span>
      <button type="button" class="button slim" onClick={leave}>
        Log out
      </button>
    </>
  );
}

const STATES = {
  connecting: 'Connecting…',
  live: 'Live',
  stale: 'Not live',
} as const;

function LiveState() {
  const { connection } = useLive();
  return (
    <span class={`live-state ${connection}`} role="status">
      <span class="dot" aria-hidden="true" />
      {STATES[connection]}
    </span>
  );
}

function Banners() {
  const { connection, heardAtMs, totals } = useLive();
  return (
    <>
      {caller.demo && (
        <p class="banner note">
          <Icon name="info" />
          <strong>Demo</strong>
          <span>The campaigns are samples and the bids are simulated: no money is spent.</span>
        </p>
      )}
      {connection === 'stale' && (
        <p class="banner error" role="alert">
          <Icon name="warning" />
          {heardAtMs === 0 ? (
            <>
              <strong>No live figures yet</strong>
              <span>The server cannot be reached over its WebSocket. Trying again by itself.</span>
            </>
          ) : (
            <>
              <strong>These figures are stale</strong>
              <span>
                The server has said nothing for <span aria-hidden="true">{ago(Date.now() - heardAtMs)}</span>
                <span class="visually-hidden">some time</span>. Connecting again by itself.
              </span>
            </>
          )}
        </p>
      )}
      {totals?.degraded === true && (
        <p class="banner warn" role="alert">
          <Icon name="warning" />
          <strong>Operating in degraded mode</strong>
          <span>
            Redis cannot be reached. Decisions go on from the budget this pod holds already, with more bids
            held back; no budget is overspent.
          </span>
        </p>
      )}
    </>
  );
}
