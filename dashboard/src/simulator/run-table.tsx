/** Simulated runs beside each other, in figures. */
import { momentIn, money, NOTHING, percent } from '../format.ts';
import { WideTable } from '../ui/notices.tsx';
import { nameOf, runsOf } from './run-chart.tsx';
import type { Simulation } from './simulation.ts';

export function RunTable({ simulation }: { readonly simulation: Simulation }) {
  return (
    <WideTable label="Simulated runs">
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col" class="number">
            Spends
          </th>
          <th scope="col" class="number">
            Planned
          </th>
          <th scope="col" class="number">
            Accuracy
          </th>
          <th scope="col" class="number">
            Held back
          </th>
          <th scope="col">Budget</th>
        </tr>
      </thead>
      <tbody>
        {runsOf(simulation).map((run, at) => (
          <tr key={at}>
            <td>
              <span class="run-name">
                <i class={`key run-${at}`} /> {nameOf(run)}
              </span>
            </td>
            <td class="number">{money(run.total_spend_cents)}</td>
            <td class="number">{money(run.total_planned_cents)}</td>
            <td class="number">{run.pacing_accuracy === null ? NOTHING : percent(run.pacing_accuracy, 1)}</td>
            <td class="number">{percent(run.throttle_rate)}</td>
            <td>
              {run.exhaustion_at === null
                ? 'lasts'
                : `empty at ${momentIn(simulation.timezone, run.exhaustion_at)}`}
            </td>
          </tr>
        ))}
      </tbody>
    </WideTable>
  );
}
