/** The pacing modes to choose from, each with what it does. */
import { PACING_MODES } from '../../../src/domain/campaign.ts';
import type { PacingMode } from '../api/types.ts';
import { word } from '../format.ts';

const ABOUT: Readonly<Record<PacingMode, string>> = {
  EVEN: 'The same amount each second of the day.',
  ASAP: 'As fast as bids come; slower at 80, 90 and 95% spent.',
  FRONT_LOADED: '70% of the budget in the first half of the day.',
  ADAPTIVE: 'Along the day’s usual traffic.',
};

export function ModeChoices(props: {
  readonly value: PacingMode;
  readonly onValue: (mode: PacingMode) => void;
}) {
  return (
    <fieldset class="choices">
      <legend>Pacing mode</legend>
      {PACING_MODES.map((mode) => (
        <label key={mode} class="choice">
          <input
            type="radio"
            name="pacing_mode"
            value={mode}
            checked={props.value === mode}
            onChange={() => props.onValue(mode)}
          />
          <b>{word(mode)}</b>
          <span class="about">{ABOUT[mode]}</span>
        </label>
      ))}
    </fieldset>
  );
}
