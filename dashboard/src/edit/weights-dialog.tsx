/** Hourly multipliers of a campaign's plan, for every day or for one weekday. */
import { useState } from 'preact/hooks';
import { change, pathOf } from '../api/client.ts';
import type { Campaign, HourConfig } from '../api/types.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Problem, SelectField } from '../ui/field.tsx';
import { useSubmission } from './submission.ts';
import { DAY_NAMES } from './week-days.ts';
import { NEUTRAL, Weights } from './weights.tsx';

const EVERY = 'every';
const HOURS = 24;
type Week = Readonly<Record<string, readonly number[]>>;

export function WeightsDialog(props: {
  readonly campaign: Campaign;
  readonly configs: readonly HourConfig[];
  readonly onClose: () => void;
  readonly onDone: (text: string) => void;
}) {
  const { campaign, configs, onClose, onDone } = props;
  const [week, setWeek] = useState(() => weekOf(configs));
  const [day, setDay] = useState(EVERY);
  const { isBusy, run, refusal } = useSubmission();
  const shown = week[day] ?? week[EVERY] ?? neutral();
  const submit = () =>
    run(async () => {
      await change('PUT', pathOf('/pacing/config', campaign.id), { pacing_configs: configsOf(week) });
      onDone('The hours of the plan are changed.');
    });
  const without = () => {
    const { [day]: _dropped, ...others } = week;
    setWeek(others);
  };
  const isPacedByNone = campaign.pacing_mode === 'ASAP';
  return (
    <Dialog
      title={`Hours of the plan of ${campaign.name}`}
      wide
      onClose={onClose}
      onSubmit={submit}
      foot={
        <>
          <button type="button" class="button quiet" onClick={without} disabled={week[day] === undefined}>
            {day === EVERY ? 'All hours alike' : 'As every day'}
          </button>
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={isBusy}>
            Save hours
          </button>
        </>
      }
    >
      <p class="soft">
        An hour with twice the weight gets twice the budget; 0 plans nothing. Drag the bars, or use the arrow
        keys.
        {isPacedByNone &&
          ' This campaign is ASAP, which no plan paces: the weights matter after a change of mode.'}
      </p>
      <SelectField
        label="Day"
        value={day}
        options={[
          [EVERY, 'Every day'],
          ...DAY_NAMES.map(
            (name, at) => [String(at), week[String(at)] === undefined ? name : `${name} (its own)`] as const,
          ),
        ]}
        onValue={setDay}
      />
      <Weights values={shown} onValues={(values) => setWeek({ ...week, [day]: values })} />
      <p class="small soft">Hours in {campaign.timezone}</p>
      {refusal !== null && (
        <p role="alert">
          <Problem text={refusal.message} />
        </p>
      )}
    </Dialog>
  );
}

function neutral(): readonly number[] {
  return Array.from({ length: HOURS }, () => NEUTRAL);
}

function weekOf(configs: readonly HourConfig[]): Week {
  const week: Record<string, number[]> = {};
  const everyDay = [...neutral()];
  for (const { hour, multiplier, day_of_week } of configs)
    if (day_of_week === undefined) everyDay[hour] = multiplier;
  if (configs.some(({ day_of_week }) => day_of_week === undefined)) week[EVERY] = everyDay;
  for (const { hour, multiplier, day_of_week } of configs) {
    if (day_of_week === undefined) continue;
    const own = week[String(day_of_week)] ?? [...everyDay];
    own[hour] = multiplier;
    week[String(day_of_week)] = own;
  }
  return week;
}

/** Neutral hours of every day need no entry; a weekday of its own names all its hours. */
function configsOf(week: Week): readonly HourConfig[] {
  return Object.entries(week).flatMap(([day, values]) =>
    values.flatMap((multiplier, hour): HourConfig[] => {
      if (day !== EVERY) return [{ hour, multiplier, day_of_week: Number(day) }];
      return multiplier === NEUTRAL ? [] : [{ hour, multiplier }];
    }),
  );
}
