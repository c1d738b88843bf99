/** Bars of actual spend, each in an outline of what was planned; with the same figures as a table. */
import { money, NOTHING, percent, shortMoney } from '../format.ts';
import { WideTable } from '../ui/notices.tsx';

export interface Bar {
  readonly name: string;
  /** Stands below the bar; empty for none. */
  readonly tick: string;
  readonly planned: number;
  readonly actual: number;
  readonly isRunning: boolean;
  /** Still to come: nothing can be spent in it yet. */
  readonly isAhead: boolean;
  readonly accuracy: number | null;
}

export function Bars({ label, bars }: { readonly label: string; readonly bars: readonly Bar[] }) {
  const most = Math.max(1, ...bars.map(({ planned, actual }) => Math.max(planned, actual)));
  const height = (cents: number) => `${((100 * cents) / most).toFixed(1)}%`;
  return (
    <>
      <div class="chart-legend">
        <span>
          <i class="key box" /> Spent
        </span>
        <span>
          <i class="key outline" /> Planned
        </span>
        <span>Highest {shortMoney(most)}</span>
      </div>
      <div class="bars" role="img" aria-label={label}>
        {bars.map((bar) => (
          <div key={bar.name} class={bar.isRunning ? 'running' : ''} title={titleOf(bar)}>
            {bar.planned > 0 && <i class="planned" style={{ height: height(bar.planned) }} />}
            {bar.actual > 0 && <i class="actual" style={{ height: height(bar.actual) }} />}
          </div>
        ))}
      </div>
      <div class="bars-axis" aria-hidden="true">
        {bars.map(({ name, tick }) => (
          <span key={name}>{tick}</span>
        ))}
      </div>
      <details>
        <summary>As a table</summary>
        <WideTable label={label}>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col" class="number">
                Planned
              </th>
              <th scope="col" class="number">
                Spent
              </th>
              <th scope="col" class="number">
                Accuracy
              </th>
            </tr>
          </thead>
          <tbody>
            {bars.map((bar) => (
              <tr key={bar.name}>
                <td>{bar.name}</td>
                <td class="number">{money(bar.planned)}</td>
                <td class="number">{bar.isAhead ? NOTHING : money(bar.actual)}</td>
                <td class="number">{bar.accuracy === null ? NOTHING : percent(bar.accuracy, 1)}</td>
              </tr>
            ))}
          </tbody>
        </WideTable>
      </details>
    </>
  );
}

function titleOf({ name, planned, actual, isRunning, isAhead }: Bar): string {
  if (isAhead) return `${name}: ${money(planned)} planned`;
  return `${name}: ${money(actual)} spent${isRunning ? ' so far' : ''}, ${money(planned)} planned`;
}
