/** Who changed what of a campaign, from what to what. */
import type { AuditEntry } from '../api/types.ts';
import { momentIn, money, plain, word } from '../format.ts';
import { Icon } from '../ui/icon.tsx';
import { Panel, Skeleton } from '../ui/notices.tsx';

const HIDDEN = new Set(['version', 'updated_at', 'created_at']);

export function AuditPanel({
  entries,
  timezone,
}: {
  /** null until they are known. */
  readonly entries: readonly AuditEntry[] | null;
  readonly timezone: string;
}) {
  return (
    <Panel title="Changes" aside={<span class="soft small">Times in {timezone}</span>}>
      {entries === null && <Skeleton rows={2} />}
      {entries?.length === 0 && <p class="soft">No change on record.</p>}
      <ul class="events">
        {entries?.map((entry) => (
          <li key={entry.id} class="info">
            <Icon name="check" />
            <span class="wide-cell">
              <b>{plain(entry.action.split('.').at(-1) ?? entry.action)}</b> <Changes entry={entry} />
              {entry.reason !== null && entry.reason !== '' && <span class="soft"> “{entry.reason}”</span>}
            </span>
            <span class="when">
              {entry.actor} · {momentIn(timezone, entry.at)} · version {entry.version}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Changes({ entry }: { readonly entry: AuditEntry }) {
  const { before, after } = entry;
  const fields = Object.keys(after ?? {}).filter((field) => !HIDDEN.has(field));
  return (
    <>
      {fields.map((field) => (
        <span key={field} class="change">
          <span class="soft">
            {plain(field)
              .replace(/ cents$/, '')
              .toLowerCase()}
          </span>
          {before !== null && (
            <>
              <del>{shown(field, before[field])}</del>
              <span aria-hidden="true">→</span>
            </>
          )}
          <ins>{shown(field, after?.[field])}</ins>
        </span>
      ))}
    </>
  );
}

const LENGTH_MAX = 60;

function shown(field: string, value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'number' && field.endsWith('_cents')) return money(value);
  if (typeof value === 'string') return /^[A-Z_]+$/.test(value) ? word(value) : value;
  const text = JSON.stringify(value);
  return text.length > LENGTH_MAX ? `${text.slice(0, LENGTH_MAX)}…` : text;
}
