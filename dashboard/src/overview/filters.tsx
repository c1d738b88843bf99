/** Search and filters; they live in the URL. */
import { useEffect, useRef } from 'preact/hooks';
import { PACING_MODES } from '../../../src/domain/campaign.ts';
import { word } from '../format.ts';
import { refine } from '../router.ts';
import { Icon } from '../ui/icon.tsx';
import { COLUMNS, columnName, type Filter, type Order, orderQuery } from './columns.ts';

const STATES: readonly (readonly [string, string])[] = [
  ['', 'Any pace'],
  ['ahead', 'Ahead of plan'],
  ['behind', 'Behind plan'],
  ['tripped', 'Breaker open'],
];

export function Filters(props: { readonly filter: Filter; readonly order: Order; readonly count: string }) {
  const { filter, order, count } = props;
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const slash = (event: KeyboardEvent) => {
      const typing = (event.target as HTMLElement).closest('input, textarea, select, dialog') !== null;
      if (event.key !== '/' || typing) return;
      event.preventDefault();
      search.current?.focus();
    };
    addEventListener('keydown', slash);
    return () => removeEventListener('keydown', slash);
  }, []);
  return (
    <search class="filters">
      <div class="search">
        <Icon name="search" />
        <input
          ref={search}
          type="search"
          aria-label="Search by name or id"
          placeholder="Search by name or id ( / )"
          value={filter.text}
          onInput={(event) => refine({ q: event.currentTarget.value })}
        />
      </div>
      <Select
        label="Status"
        value={filter.status}
        options={[
          ['', 'Any status'],
          ...['ACTIVE', 'PAUSED', 'ENDED'].map((name) => [name, word(name)] as const),
        ]}
        onValue={(status) => refine({ status })}
      />
      <Select
        label="Pacing mode"
        value={filter.mode}
        options={[['', 'Any mode'], ...PACING_MODES.map((name) => [name, word(name)] as const)]}
        onValue={(mode) => refine({ mode })}
      />
      <Select label="Pace" value={filter.state} options={STATES} onValue={(state) => refine({ state })} />
      <span class="order">
        <Select
          label="Order"
          value={order.column}
          options={COLUMNS.map((column) => [column, `By ${columnName(column).toLowerCase()}`] as const)}
          onValue={(column) => refine(orderQuery(column))}
        />
        <button
          type="button"
          class="button"
          aria-label={order.descending ? 'Largest first: turn around' : 'Smallest first: turn around'}
          onClick={() => refine(orderQuery(order.column, !order.descending))}
        >
          <Icon name={order.descending ? 'down' : 'up'} />
        </button>
      </span>
      <span class="count">{count}</span>
    </search>
  );
}

function Select<T extends string>(props: {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [T, string])[];
  readonly onValue: (value: T) => void;
}) {
  return (
    <select
      aria-label={props.label}
      value={props.value}
      onChange={(event) => {
        const chosen = props.options[event.currentTarget.selectedIndex];
        if (chosen !== undefined) props.onValue(chosen[0]);
      }}
    >
      {props.options.map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </select>
  );
}
