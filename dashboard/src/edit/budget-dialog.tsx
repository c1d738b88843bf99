/** Adjusts the daily and the total budget. */
import { useState } from 'preact/hooks';
import { change } from '../api/client.ts';
import type { BudgetStatus, Campaign } from '../api/types.ts';
import { money } from '../format.ts';
import { AMOUNT_ACCEPTED, centsOf, dollarsOf } from '../money-input.ts';
import { Dialog } from '../ui/dialog.tsx';
import { MoneyField, Problem, TextField } from '../ui/field.tsx';
import { useSubmission } from './submission.ts';

const FIELDS = ['new_daily_budget_cents', 'new_total_budget_cents', 'reason'] as const;

export function BudgetDialog(props: {
  readonly campaign: Campaign;
  readonly status: BudgetStatus;
  readonly onClose: () => void;
  readonly onDone: (text: string) => void;
}) {
  const { campaign, status, onClose, onDone } = props;
  const [daily, setDaily] = useState(dollarsOf(campaign.daily_budget_cents));
  const [total, setTotal] = useState(
    campaign.total_budget_cents === null ? '' : dollarsOf(campaign.total_budget_cents),
  );
  const [reason, setReason] = useState('');
  const { isBusy, run, refuse, problemOf, otherProblem } = useSubmission();
  const dailyCents = centsOf(daily);
  const totalCents = total.trim() === '' ? null : centsOf(total);

  const submit = () => {
    if (dailyCents === null) {
      refuse({ field: FIELDS[0], message: `The daily budget ${AMOUNT_ACCEPTED}.` });
    } else if (total.trim() !== '' && totalCents === null) {
      refuse({ field: FIELDS[1], message: `The total budget ${AMOUNT_ACCEPTED}.` });
    } else {
      run(async () => {
        await change('POST', '/budget/adjust', {
          campaign_id: campaign.id,
          new_daily_budget_cents: dailyCents,
          ...(totalCents === campaign.total_budget_cents ? {} : { new_total_budget_cents: totalCents }),
          ...(reason === '' ? {} : { reason }),
        });
        onDone(`The daily budget is ${money(dailyCents)}.`);
      });
    }
  };
  const isBelow = dailyCents !== null && dailyCents < status.daily_spent_cents;
  const other = otherProblem(FIELDS);
  return (
    <Dialog
      title={`Budget of ${campaign.name}`}
      onClose={onClose}
      onSubmit={submit}
      foot={
        <>
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={isBusy}>
            Adjust budget
          </button>
        </>
      }
    >
      <MoneyField
        label="Daily budget"
        name="daily"
        autofocus
        value={daily}
        onValue={setDaily}
        problem={problemOf(FIELDS[0])}
        hint={
          isBelow
            ? `Below the ${money(status.daily_spent_cents)} spent today: spending stops until the day ends.`
            : `${money(status.daily_spent_cents)} is spent today. The plan goes on from where it is, without a jump.`
        }
      />
      <MoneyField
        label="Total budget"
        placeholder="none"
        value={total}
        onValue={setTotal}
        problem={problemOf(FIELDS[1])}
        hint={`Of the whole flight; empty for none. ${money(status.total_spent_cents)} is spent of it.`}
      />
      <TextField
        label="Reason"
        hint="For the audit log; may be empty."
        value={reason}
        onValue={setReason}
        problem={problemOf(FIELDS[2])}
      />
      {other !== null && (
        <p role="alert">
          <Problem text={other} />
        </p>
      )}
    </Dialog>
  );
}
