/** Changes the pacing mode, after a look at what the new one would do. */
import { useState } from 'preact/hooks';
import { change } from '../api/client.ts';
import type { Campaign } from '../api/types.ts';
import { word } from '../format.ts';
import { ModePreview } from '../simulator/mode-preview.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Problem } from '../ui/field.tsx';
import { ModeChoices } from './mode-choices.tsx';
import { useSubmission } from './submission.ts';

export function ModeDialog(props: {
  readonly campaign: Campaign;
  readonly onClose: () => void;
  readonly onDone: (text: string) => void;
}) {
  const { campaign, onClose, onDone } = props;
  const [mode, setMode] = useState(campaign.pacing_mode);
  const { isBusy, run, refusal } = useSubmission();
  const isSame = mode === campaign.pacing_mode;
  const submit = () =>
    run(async () => {
      await change('POST', '/pacing/mode', { campaign_id: campaign.id, pacing_mode: mode });
      onDone(`The pacing mode is ${word(mode)}.`);
    });
  return (
    <Dialog
      title={`Pacing mode of ${campaign.name}`}
      wide
      onClose={onClose}
      onSubmit={() => (isSame ? onClose() : submit())}
      foot={
        <>
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={isBusy || isSame}>
            {isSame ? 'Choose another mode' : `Change to ${word(mode)}`}
          </button>
        </>
      }
    >
      <div class="versus">
        <ModeChoices value={mode} onValue={setMode} />
        <ModePreview campaign={campaign} mode={mode} />
      </div>
      {refusal !== null && (
        <p role="alert">
          <Problem text={refusal.message} />
        </p>
      )}
    </Dialog>
  );
}
