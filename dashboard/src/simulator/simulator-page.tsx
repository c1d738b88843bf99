/** What a campaign would do: one that exists or is proposed, on a day's traffic, its modes in one picture. */
import { useEffect, useState } from 'preact/hooks';
import { PACING_MODES } from '../../../src/domain/campaign.ts';
import type { PacingMode } from '../api/types.ts';
import { useSubmission } from '../edit/submission.ts';
import { Weights } from '../edit/weights.tsx';
import { count, money, percent, price, word } from '../format.ts';
import { live, useLive } from '../live/live-store.ts';
import { AMOUNT_ACCEPTED, centsOf } from '../money-input.ts';
import { refine } from '../router.ts';
import { MoneyField, Problem, SelectField, TextField } from '../ui/field.tsx';
import { Panel } from '../ui/notices.tsx';
import { RunChart } from './run-chart.tsx';
import { RunTable } from './run-table.tsx';
import { type Simulation, simulate, sourceText } from './simulation.ts';

const PATTERNS = [
  ['', 'As learned, or else usual'],
  ['default', 'A usual day'],
  ['flat', 'The same all day'],
  ['own', 'Drawn by hand'],
] as const;
type Pattern = (typeof PATTERNS)[number][0];

/** Where drawing begins: more by day, most in the evening. */
const DRAWN: readonly number[] = [
  ...[0.3, 0.2, 0.2, 0.2, 0.3, 0.5, 0.8, 1, 1.2, 1.5, 1.8, 2],
  ...[1.8, 1.5, 1.3, 1.2, 1.1, 1, 1.6, 1.8, 1.5, 1.2, 0.8, 0.5],
];
const FIELDS = ['daily_budget_cents', 'hours_ahead', 'traffic'] as const;
const COMPARED_MAX = 4;

export function SimulatorPage({ query }: { readonly query: URLSearchParams }) {
  const { campaigns } = useLive();
  const campaignId = query.get('campaign') ?? '';
  const [daily, setDaily] = useState('');
  const [modes, setModes] = useState<readonly PacingMode[]>(['EVEN', 'FRONT_LOADED', 'ASAP']);
  const [pattern, setPattern] = useState<Pattern>('');
  const [drawn, setDrawn] = useState(DRAWN);
  const [hours, setHours] = useState('24');
  const [asks, setAsks] = useState('');
  const [result, setResult] = useState<Simulation | null>(null);
  const { isBusy, run, refuse, problemOf, otherProblem } = useSubmission();

  const submit = () => {
    const cents = daily.trim() === '' ? null : centsOf(daily);
    if (cents === null && (daily.trim() !== '' || campaignId === '')) {
      refuse({ field: FIELDS[0], message: `The daily budget ${AMOUNT_ACCEPTED}.` });
      return;
    }
    run(async () => setResult(await simulate(bodyOf(cents))));
  };
  const bodyOf = (cents: number | null) => {
    const [first = 'EVEN', ...others] = modes;
    const variant = cents === null ? {} : { daily_budget_cents: cents };
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const subject =
      campaignId === ''
        ? { campaign: { name: 'Proposed', daily_budget_cents: cents, timezone: zone, pacing_mode: first } }
        : { campaign_id: campaignId, pacing_mode: first, ...variant };
    return {
      ...subject,
      hours_ahead: Number(hours),
      slot_minutes: Number(hours) > 48 ? 60 : 15,
      ...(pattern === '' ? {} : { traffic_pattern: pattern === 'own' ? drawn : pattern }),
      ...(asks.trim() === '' ? {} : { traffic: { asks_per_day: Number(asks.replaceAll(/[\s,]/g, '')) } }),
      ...(others.length === 0 ? {} : { compare: others.map((pacing_mode) => ({ pacing_mode })) }),
    };
  };
  // A campaign that is chosen is simulated at once: nothing else has to be said.
  useEffect(() => {
    if (campaignId !== '') submit();
    else setResult(null);
  }, [campaignId]);

  const known = [...campaigns.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, 500);
  const other = otherProblem(FIELDS);
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Simulator</h1>
          <p class="facts">
            The production controller on simulated bids: nothing is changed, and nothing is spent.
          </p>
        </div>
      </div>
      <div class="simulator">
        <form
          class="panel form-section stack"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          <SelectField
            label="Campaign"
            value={campaignId}
            options={[
              ['', 'A proposed one'] as const,
              ...known.map((row) => [row.campaign_id, row.name] as const),
            ]}
            onValue={(id) => refine({ campaign: id })}
          />
          <MoneyField
            label="Daily budget"
            value={daily}
            onValue={setDaily}
            placeholder={budgetOf(campaignId)}
            problem={problemOf(FIELDS[0])}
            {...(campaignId === '' ? {} : { hint: 'Empty: the one that it has.' })}
          />
          <ModeBoxes modes={modes} onModes={setModes} />
          <SelectField label="Traffic over the day" value={pattern} options={PATTERNS} onValue={setPattern} />
          {pattern === 'own' && <Weights values={drawn} onValues={setDrawn} />}
          <TextField
            label="Bids asked for in a day"
            placeholder="as known, or assumed"
            value={asks}
            onValue={setAsks}
            problem={problemOf(FIELDS[2])}
          />
          <TextField
            label="Hours ahead"
            value={hours}
            onValue={setHours}
            hint="1 to 168."
            problem={problemOf(FIELDS[1])}
          />
          {other !== null && (
            <p role="alert">
              <Problem text={other} />
            </p>
          )}
          <button type="submit" class="button primary" disabled={isBusy}>
            {isBusy ? 'Simulating…' : 'Simulate'}
          </button>
        </form>
        {result === null ? (
          <section class="panel notice" aria-label="Outcome">
            <h2>{isBusy ? 'Simulating…' : 'Try a campaign before it spends'}</h2>
            <p class="soft">
              Choose a campaign, or propose a daily budget; tick the modes to compare; press Simulate. All of
              them run on the very same bids.
            </p>
          </section>
        ) : (
          <Outcome simulation={result} />
        )}
      </div>
    </>
  );
}

function budgetOf(campaignId: string): string {
  const row = live.campaigns.get(campaignId);
  return row === undefined ? '1000' : String(row.daily_budget_cents / 100);
}

function ModeBoxes(props: {
  readonly modes: readonly PacingMode[];
  readonly onModes: (modes: readonly PacingMode[]) => void;
}) {
  const { modes, onModes } = props;
  return (
    <fieldset class="choices">
      <legend>Modes to compare</legend>
      {PACING_MODES.map((mode) => {
        const isOn = modes.includes(mode);
        const turn = () => {
          const next = PACING_MODES.filter((name) => (name === mode ? !isOn : modes.includes(name)));
          if (next.length > 0 && next.length <= COMPARED_MAX) onModes(next);
        };
        return (
          <label key={mode} class="check">
            <input type="checkbox" checked={isOn} onChange={turn} />
            <span>{word(mode)}</span>
          </label>
        );
      })}
    </fieldset>
  );
}

function Outcome({ simulation }: { readonly simulation: Simulation }) {
  const { traffic, timezone } = simulation;
  return (
    <div class="stack">
      <Panel
        title={`Spent of ${money(simulation.daily_budget_cents)} a day`}
        aside={<span class="soft small">Times in {timezone}</span>}
      >
        <RunChart simulation={simulation} />
      </Panel>
      <Panel title="Side by side">
        <RunTable simulation={simulation} />
        <p class="small soft grid-note">
          On {sourceText(traffic.source)}: {count(traffic.asks_per_day)} bids asked for in a day,{' '}
          {percent(traffic.win_rate)} of the allowed ones won at {price(traffic.win_cents)}, so it could spend{' '}
          {money(traffic.potential_cents_per_day)} a day unthrottled.
        </p>
      </Panel>
    </div>
  );
}
