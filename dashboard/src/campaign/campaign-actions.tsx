/** What an operator may do with a campaign: buttons, a menu, and the dialog of each. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { change, messageOf, pathOf } from '../api/client.ts';
import type { BudgetStatus, Campaign, CampaignStatus, HourConfig } from '../api/types.ts';
import { BudgetDialog } from '../edit/budget-dialog.tsx';
import { ConfirmDialog } from '../edit/confirm-dialog.tsx';
import { ModeDialog } from '../edit/mode-dialog.tsx';
import { WeightsDialog } from '../edit/weights-dialog.tsx';
import { linkTo } from '../router.ts';
import { Icon } from '../ui/icon.tsx';
import { toast } from '../ui/toasts.tsx';

type Open = 'budget' | 'mode' | 'weights' | 'reset' | 'delete' | null;

export function CampaignActions(props: {
  readonly campaign: Campaign;
  readonly configs: readonly HourConfig[];
  readonly status: BudgetStatus;
  readonly onChanged: () => void;
}) {
  const { campaign, configs, status, onChanged } = props;
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const done = (text: string) => {
    setOpen(null);
    toast(text);
    onChanged();
  };
  const setStatus = (next: CampaignStatus, text: string) => {
    change('PATCH', pathOf('/campaigns', campaign.id), { status: next }).then(
      () => done(text),
      (error: unknown) => toast(messageOf(error), true),
    );
  };
  return (
    <div class="actions">
      {campaign.status === 'ACTIVE' ? (
        <button type="button" class="button" onClick={() => setStatus('PAUSED', 'Paused: no bid passes.')}>
          <Icon name="pause" />
          Pause
        </button>
      ) : (
        <button
          type="button"
          class="button primary"
          onClick={() => setStatus('ACTIVE', 'The campaign is active.')}
        >
          <Icon name="play" />
          {campaign.status === 'PAUSED' ? 'Resume' : 'Start again'}
        </button>
      )}
      <button type="button" class="button" onClick={() => setOpen('budget')}>
        Adjust budget
      </button>
      <button type="button" class="button" onClick={() => setOpen('mode')}>
        Change mode
      </button>
      <Menu>
        <li>
          <a href={linkTo(['campaigns', campaign.id, 'edit'])}>Edit all fields</a>
        </li>
        <li>
          <button type="button" onClick={() => setOpen('weights')}>
            Hours of the plan
          </button>
        </li>
        <li>
          <a href={linkTo(['simulator'], { campaign: campaign.id })}>Simulate</a>
        </li>
        <li>
          <button type="button" onClick={() => setOpen('reset')}>
            Start the day anew…
          </button>
        </li>
        <li>
          <button type="button" class="bad" onClick={() => setOpen('delete')}>
            Delete…
          </button>
        </li>
      </Menu>
      {open === 'budget' && (
        <BudgetDialog campaign={campaign} status={status} onClose={close} onDone={done} />
      )}
      {open === 'mode' && <ModeDialog campaign={campaign} onClose={close} onDone={done} />}
      {open === 'weights' && (
        <WeightsDialog campaign={campaign} configs={configs} onClose={close} onDone={done} />
      )}
      {open === 'reset' && (
        <ConfirmDialog
          title="Start the day anew?"
          confirm="Start the day anew"
          onClose={close}
          act={async (reason) => {
            await change('POST', pathOf('/budget/reset', campaign.id), reason === '' ? {} : { reason });
            done('The day has begun anew.');
          }}
        >
          <p>
            Today’s spend counts as nothing from now on, the breaker closes, and the plan begins again:{' '}
            <b>{campaign.name}</b> may spend its whole daily budget once more today. What is in flight stays
            reserved; the history and the total budget keep counting everything.
          </p>
        </ConfirmDialog>
      )}
      {open === 'delete' && (
        <ConfirmDialog
          title={`Delete ${campaign.name}?`}
          confirm="Delete"
          asksForReason={false}
          onClose={close}
          act={async () => {
            await change('DELETE', pathOf('/campaigns', campaign.id));
            toast(`${campaign.name} is deleted.`);
            location.hash = linkTo([]);
          }}
        >
          <p>
            No bid passes any more. Its history stays, and spend that is still reported is recorded. It cannot
            be made active again.
          </p>
        </ConfirmDialog>
      )}
    </div>
  );
}

/** The less common actions. Escape and a click elsewhere close it. */
function Menu({ children }: { readonly children: preact.ComponentChildren }) {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const outside = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    const onEscape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      setOpen(false);
      box.current?.querySelector('button')?.focus();
    };
    document.addEventListener('click', outside);
    document.addEventListener('keydown', onEscape);
    return () => {
      document.removeEventListener('click', outside);
      document.removeEventListener('keydown', onEscape);
    };
  }, [isOpen]);
  return (
    <div class="menu" ref={box}>
      <button
        type="button"
        class="button"
        aria-label="More actions"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="more" />
      </button>
      {isOpen && (
        // biome-ignore lint/a11y/useKeyWithClickEvents: a choice by keyboard clicks too
        <ul
          onClick={() => {
            setOpen(false);
            // A dialog gives the focus back to where it was: not to an entry that is gone.
            box.current?.querySelector('button')?.focus();
          }}
        >
          {children}
        </ul>
      )}
    </div>
  );
}
