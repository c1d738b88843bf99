/** Asks before something that cannot be taken back. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Dialog } from '../ui/dialog.tsx';
import { Problem, TextField } from '../ui/field.tsx';
import { useSubmission } from './submission.ts';

export function ConfirmDialog(props: {
  readonly title: string;
  readonly confirm: string;
  readonly asksForReason?: boolean;
  readonly act: (reason: string) => Promise<void>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) {
  const { title, confirm, asksForReason = true, act, onClose, children } = props;
  const [reason, setReason] = useState('');
  const { isBusy, run, refusal } = useSubmission();
  return (
    <Dialog
      title={title}
      onClose={onClose}
      onSubmit={() => run(() => act(reason))}
      foot={
        <>
          <button type="button" class="button" onClick={onClose}>
            Keep as it is
          </button>
          <button type="submit" class="button danger" disabled={isBusy}>
            {confirm}
          </button>
        </>
      }
    >
      {children}
      {asksForReason && (
        <TextField
          label="Reason"
          hint="For the audit log; may be empty."
          value={reason}
          onValue={setReason}
        />
      )}
      {refusal !== null && (
        <p role="alert">
          <Problem text={refusal.message} />
        </p>
      )}
    </Dialog>
  );
}
