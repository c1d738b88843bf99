/** Creating a campaign, and editing all fields of one. The server checks; its words stand at the field. */
import { useLayoutEffect, useMemo, useState } from 'preact/hooks';
import { change, get, pathOf } from '../api/client.ts';
import type { Campaign, CampaignStatus, PacingLever, PacingMode } from '../api/types.ts';
import { word } from '../format.ts';
import { AMOUNT_ACCEPTED, centsOf, dollarsOf } from '../money-input.ts';
import { campaignLink, linkTo } from '../router.ts';
import { Field, MoneyField, Problem, SelectField, TextField } from '../ui/field.tsx';
import { Icon } from '../ui/icon.tsx';
import { useLoad } from '../ui/load.ts';
import { ErrorNotice, Skeleton } from '../ui/notices.tsx';
import { toast } from '../ui/toasts.tsx';
import { daypartsOf, type WeekHours, weekOf } from './dayparts.ts';
import { ModeChoices } from './mode-choices.tsx';
import { useSubmission } from './submission.ts';
import { WeekGrid } from './week-grid.tsx';

const FIELDS = [
  'id',
  'name',
  'daily_budget_cents',
  'total_budget_cents',
  'start_date',
  'end_date',
  'timezone',
  'pacing_mode',
  'pacing_lever',
  'status',
  'breaker_threshold',
  'dayparts',
  'targeting',
  'creative',
] as const;

interface Draft {
  readonly id: string;
  readonly name: string;
  readonly daily: string;
  readonly total: string;
  readonly start: string;
  readonly end: string;
  readonly timezone: string;
  readonly mode: PacingMode;
  readonly lever: PacingLever;
  readonly status: CampaignStatus;
  readonly threshold: string;
  readonly gate: boolean;
  readonly week: WeekHours;
  readonly targeting: string;
  readonly creative: string;
}

export function CampaignFormPage({ id }: { readonly id: string | null }) {
  const loaded = useLoad<Campaign | null>(`form ${id}`, async () =>
    id === null ? null : await get<Campaign>(pathOf('/campaigns', id)),
  );
  if (loaded.error !== null) return <ErrorNotice error={loaded.error} again={loaded.again} />;
  if (id !== null && loaded.value === null) return <Skeleton rows={6} />;
  return <Form campaign={loaded.value} />;
}

function Form({ campaign }: { readonly campaign: Campaign | null }) {
  const [draft, setDraft] = useState(() => draftOf(campaign));
  const { isBusy, refusal, run, refuse, problemOf, otherProblem } = useSubmission();
  const zones = useMemo(() => Intl.supportedValuesOf('timeZone'), []);
  const put = (changes: Partial<Draft>) => setDraft((old) => ({ ...old, ...changes }));
  const isNew = campaign === null;
  // With the refusal, not some time after it, when somebody may be typing in another field.
  useLayoutEffect(() => {
    if (refusal !== null) focusProblem();
  }, [refusal]);

  const submit = () => {
    const read = bodyOf(draft);
    if ('field' in read) {
      refuse(read);
      return;
    }
    run(async () => {
      const saved = isNew
        ? await change<Campaign>('POST', '/campaigns', {
            ...(draft.id.trim() === '' ? {} : { id: draft.id.trim() }),
            ...read.body,
          })
        : await change<Campaign>('PATCH', pathOf('/campaigns', campaign.id), {
            ...read.body,
            version: campaign.version,
          });
      toast(isNew ? `${saved.name} takes part in decisions.` : `${saved.name} is saved.`);
      location.hash = campaignLink(saved.id);
    });
  };
  const other = otherProblem(FIELDS);
  return (
    <form
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div>
        <a class="crumb" href={isNew ? linkTo([]) : campaignLink(campaign.id)}>
          <Icon name="back" />
          {isNew ? 'All campaigns' : campaign.name}
        </a>
        <h1>{isNew ? 'New campaign' : `Edit ${campaign.name}`}</h1>
      </div>
      <div class="form">
        <section class="panel form-section" aria-label="Campaign">
          <h2>Campaign and budget</h2>
          <div class="form-grid">
            <TextField
              whole
              label="Name"
              name="name"
              autofocus
              value={draft.name}
              onValue={(name) => put({ name })}
              problem={problemOf('name')}
            />
            <MoneyField
              label="Daily budget"
              name="daily"
              value={draft.daily}
              onValue={(daily) => put({ daily })}
              problem={problemOf('daily_budget_cents')}
            />
            <MoneyField
              label="Total budget"
              placeholder="none"
              value={draft.total}
              onValue={(total) => put({ total })}
              hint="Of the whole flight; may be empty."
              problem={problemOf('total_budget_cents')}
            />
            {isNew ? (
              <TextField
                label="Id"
                placeholder="made for you"
                value={draft.id}
                onValue={(id) => put({ id })}
                hint="What bidders send as campaign_id."
                problem={problemOf('id')}
              />
            ) : (
              <SelectField
                label="Status"
                value={draft.status}
                options={(['ACTIVE', 'PAUSED', 'ENDED'] as const).map(
                  (status) => [status, word(status)] as const,
                )}
                onValue={(status) => put({ status })}
                problem={problemOf('status')}
              />
            )}
            <TextField
              label="Time zone"
              list="zones"
              value={draft.timezone}
              onValue={(timezone) => put({ timezone })}
              hint="Its days begin at midnight there."
              problem={problemOf('timezone')}
            />
            <datalist id="zones">
              {zones.map((zone) => (
                <option key={zone} value={zone} />
              ))}
            </datalist>
            <TextField
              label="First day"
              placeholder="YYYY-MM-DD"
              value={draft.start}
              onValue={(start) => put({ start })}
              hint="Or an instant such as 2026-03-01T09:00Z; empty for at once."
              problem={problemOf('start_date')}
            />
            <TextField
              label="Last day"
              placeholder="YYYY-MM-DD"
              value={draft.end}
              onValue={(end) => put({ end })}
              hint="That day included; empty for no end."
              problem={problemOf('end_date')}
            />
          </div>
        </section>
        <section class="panel form-section" aria-label="Pacing">
          <h2>Pacing</h2>
          <div class="form-grid">
            <div class="whole">
              <ModeChoices value={draft.mode} onValue={(mode) => put({ mode })} />
            </div>
            <SelectField
              label="Paced by"
              value={draft.lever}
              options={[
                ['THROTTLE', 'Holding bids back'],
                ['BID', 'The price of bids'],
              ]}
              onValue={(lever) => put({ lever })}
              problem={problemOf('pacing_lever')}
            />
            <TextField
              label="Breaker, % of the daily budget"
              value={draft.threshold}
              onValue={(threshold) => put({ threshold })}
              hint="All bids stop there."
              problem={problemOf('breaker_threshold')}
            />
            <label class="check whole">
              <input
                type="checkbox"
                checked={draft.gate}
                onChange={(event) => put({ gate: event.currentTarget.checked })}
              />
              <span>
                Count bids in flight by how likely they are to be won
                <br />
                <span class="soft small">
                  Spends the last of the budget sooner; may overspend by a little.
                </span>
              </span>
            </label>
          </div>
        </section>
        <section class="panel form-section whole" aria-label="Hours">
          <h2>Hours in which it may bid</h2>
          <WeekGrid week={draft.week} onWeek={(week) => put({ week })} />
          <p class="small soft grid-note">
            Drag over hours to switch them; with the keyboard, arrows move and space switches. Hours in{' '}
            {draft.timezone || 'UTC'}.
          </p>
          {problemOf('dayparts') !== null && <Problem text={problemOf('dayparts') ?? ''} />}
        </section>
        <section class="panel form-section whole" aria-label="Kept with it">
          <details>
            <summary>
              Targeting and creative, kept as JSON with the campaign and never read by the pacer
            </summary>
            <div class="form-grid grid-note">
              {(['targeting', 'creative'] as const).map((name) => (
                <Field key={name} label={word(name)} problem={problemOf(name)}>
                  {(wiring) => (
                    <textarea
                      {...wiring}
                      rows={5}
                      value={draft[name]}
                      onInput={(event) => put({ [name]: event.currentTarget.value })}
                    />
                  )}
                </Field>
              ))}
            </div>
          </details>
        </section>
        <div class="form-foot whole">
          {other !== null && (
            <span role="alert">
              <Problem text={other} />
            </span>
          )}
          <a class="button" href={isNew ? linkTo([]) : campaignLink(campaign.id)}>
            Cancel
          </a>
          <button type="submit" class="button primary" disabled={isBusy}>
            {isNew ? 'Create campaign' : 'Save'}
          </button>
        </div>
      </div>
    </form>
  );
}

/** To the first field that was refused, when it is shown. */
function focusProblem(): void {
  document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
}

function draftOf(campaign: Campaign | null): Draft {
  const json = (value: unknown) =>
    value === null || value === undefined ? '' : JSON.stringify(value, null, 2);
  return {
    id: campaign?.id ?? '',
    name: campaign?.name ?? '',
    daily: campaign === null ? '' : dollarsOf(campaign.daily_budget_cents),
    total: campaign?.total_budget_cents == null ? '' : dollarsOf(campaign.total_budget_cents),
    start: campaign?.start_date ?? '',
    end: campaign?.end_date ?? '',
    timezone: campaign?.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    mode: campaign?.pacing_mode ?? 'EVEN',
    lever: campaign?.pacing_lever ?? 'THROTTLE',
    status: campaign?.status ?? 'ACTIVE',
    threshold: String(Math.round(10_000 * (campaign?.breaker_threshold ?? 0.95)) / 100),
    gate: campaign?.confidence_gate ?? false,
    week: weekOf(campaign?.dayparts ?? null),
    targeting: json(campaign?.targeting),
    creative: json(campaign?.creative),
  };
}

type Read =
  | { readonly body: Readonly<Record<string, unknown>> }
  | { readonly field: string; readonly message: string };

/** The draft on the wire. Only what is no number or no JSON at all is refused here; the rest is the server's to judge. */
function bodyOf(draft: Draft): Read {
  const daily = centsOf(draft.daily);
  if (daily === null) {
    return { field: 'daily_budget_cents', message: `The daily budget ${AMOUNT_ACCEPTED}.` };
  }
  const total = draft.total.trim() === '' ? null : centsOf(draft.total);
  if (total === null && draft.total.trim() !== '') {
    return { field: 'total_budget_cents', message: `The total budget ${AMOUNT_ACCEPTED}, or empty.` };
  }
  const percentage = Number(draft.threshold.replace('%', ''));
  const kept: Record<string, unknown> = {};
  for (const name of ['targeting', 'creative'] as const) {
    try {
      kept[name] = draft[name].trim() === '' ? null : JSON.parse(draft[name]);
    } catch {
      return { field: name, message: `The ${name} must be JSON, or empty.` };
    }
  }
  return {
    body: {
      name: draft.name,
      daily_budget_cents: daily,
      total_budget_cents: total,
      start_date: draft.start.trim() === '' ? null : draft.start.trim(),
      end_date: draft.end.trim() === '' ? null : draft.end.trim(),
      timezone: draft.timezone.trim(),
      pacing_mode: draft.mode,
      pacing_lever: draft.lever,
      status: draft.status,
      breaker_threshold: Number.isFinite(percentage) ? percentage / 100 : draft.threshold,
      confidence_gate: draft.gate,
      dayparts: daypartsOf(draft.week),
      ...kept,
    },
  };
}
