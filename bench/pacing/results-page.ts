/** docs/pacing/results.md: the comparison's tables and plots, written whole by every whole run. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { problemsOf, type ScenarioOutcome, standingsOf } from './comparison.ts';
import { dayPlots } from './day-plots.ts';
import { summarySvg } from './summary-plot.ts';
import { bestText, figureTable, limitsTable, markdownTable, standingsTable, type Table } from './tables.ts';

const INTRODUCTION = `# Pacing: the comparison

Written by \`npm run bench:pacing\`; do not edit. Whole campaign days under virtual time, one second per step.
Every controller meets the same asks, win draws, prices and notice delays, has the same target curve and the
same knowledge of yesterday, and stands behind the same strict budget gate. \`ours\` is src/domain itself, in the rhythm of its turns; each of
the others is written from its paper, which its file in bench/pacing/controllers names with the constants that
had to be chosen. All of it follows from the seeds: the same commit writes the same figures.

- **delivered**: spend over budget. **RMSE**, **max error**: cumulative spend less the target, each minute, as a
  share of the budget. **feasible**: against the fastest path to the target that the traffic allowed; for
  evening-drop, where that path leaves budget over, against the evenest one that spends it.
- **early**: minutes by which 99.5% was spent before the plan had it. **hunting**: root mean square of the minute
  changes of the pass probability over its mean. **last ½ h**: spend of the last half hour over plan.
- Where supply is tight, ours leaves the curve on purpose, to deliver: its RMSE there is the price of that.
- \`none\` delivers more than 1 in the mean because it has spent all before the budget is cut.
`;

/** Writes the page and its plots; returns the files. */
export async function writeResultsPage(
  folder: string,
  results: readonly ScenarioOutcome[],
): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const standings = standingsOf(results);
  const plots = dayPlots(results);
  plots.set('summary.svg', summarySvg(results, standings));
  const page = [
    INTRODUCTION,
    ...[...plots.keys()].reverse().map((file) => `![${file.replace('.svg', '')}](${file})\n`),
    section(standingsTable(standings)),
    checksText(results),
    section(limitsTable(results)),
    section(figureTable(results, 'rmse', 'RMSE to the curve by scenario, mean of its days (* the lowest)')),
    scenariosText(results),
  ].join('\n');
  const files = [...plots, ['results.md', page] as const];
  for (const [file, content] of files) await writeFile(join(folder, file), content);
  return files.map(([file]) => join(folder, file));
}

/** The checks of the comparison as a whole. */
export function checksText(results: readonly ScenarioOutcome[]): string {
  const problems = problemsOf(results);
  const verdict =
    problems.length === 0
      ? 'ours is the closest to the curve in the mean over scenarios, and the furthest in none'
      : problems.join('; ');
  return `Checks: ${verdict}; ${bestText(results)}.\n`;
}

function section(table: Table): string {
  return `## ${table.title}\n\n${markdownTable(table)}\n`;
}

function scenariosText(results: readonly ScenarioOutcome[]): string {
  const rows = results.map(({ scenario }) => [scenario.name, scenario.describe, String(scenario.seeds)]);
  return section({ title: 'The scenarios', columns: ['scenario', 'what happens', 'days'], rows });
}
