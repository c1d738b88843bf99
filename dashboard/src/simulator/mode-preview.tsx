/** What a mode would do with a campaign from now on, beside the mode that it has. */
import type { Campaign, PacingMode } from '../api/types.ts';
import { money, percent, word } from '../format.ts';
import { useLoad } from '../ui/load.ts';
import { ErrorNotice } from '../ui/notices.tsx';
import { RunChart } from './run-chart.tsx';
import { type SimulatedRun, simulate, sourceText } from './simulation.ts';

const HOURS = 24;

export function ModePreview({ campaign, mode }: { readonly campaign: Campaign; readonly mode: PacingMode }) {
  const isSame = mode === campaign.pacing_mode;
  const { value, error, again } = useLoad(`preview ${campaign.id} ${campaign.version} ${mode}`, () =>
    simulate({
      campaign_id: campaign.id,
      hours_ahead: HOURS,
      slot_minutes: 15,
      ...(isSame ? {} : { compare: [{ pacing_mode: mode }] }),
    }),
  );
  if (error !== null) return <ErrorNotice error={error} again={again} />;
  if (value === null) return <p class="soft">Simulating the coming {HOURS} hours…</p>;
  const next = value.compared[0];
  return (
    <div class="preview">
      <h3>The coming {HOURS} hours, simulated</h3>
      <RunChart simulation={value} height={190} />
      <p>
        {summary(value)}
        {next !== undefined && (
          <>
            <br />
            {summary(next)}
          </>
        )}
      </p>
      <p class="small soft">
        By the production controller, on {sourceText(value.traffic.source)}. Times in {value.timezone}
      </p>
    </div>
  );
}

function summary(run: SimulatedRun) {
  return (
    <>
      <b>{word(run.pacing_mode)}</b> spends {money(run.total_spend_cents)}, holds back{' '}
      {percent(run.throttle_rate)}
      {run.exhaustion_at === null ? ', and the budget lasts.' : ', and the budget runs out early.'}
    </>
  );
}
