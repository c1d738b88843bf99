/**
 * How many bid lines `pacer replay` decides in a second: days of bids from a file, most of them held back, some
 * won. Beside it the same lines merely parsed, which is the least that any reader of them could do.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../src/domain/seeded-random.ts';
import { spreadOf } from '../report/statistics.ts';
import { fixed } from '../report/table.ts';
import { type Bench, goalNote, type Report, type Scenario } from './scenario.ts';

const BIDS = 1_000_000;
const SMOKE_BIDS = 2_000;
const CAMPAIGNS = 10;
const WIN_SHARE = 0.02;
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 2, 2);
const LINES_A_SECOND_MIN = 200_000;

export const replayScenario: Scenario = {
  name: 'replay',
  describe: 'bid lines that pacer replay decides in a second',
  async run(bench: Bench): Promise<Report> {
    const bids = bench.smoke ? SMOKE_BIDS : BIDS;
    const file = join(await bench.workshop.subfolder('replay'), 'days.ndjson');
    await writeDays(file, bids);
    const parsed: number[] = [];
    const replayed: number[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      parsed.push(bids / parseSeconds(file));
      replayed.push(bids / (await replaySeconds(bench, file)));
    }
    return report(bench, replayed, parsed);
  },
};

async function writeDays(file: string, bids: number): Promise<void> {
  const random = seededRandom(1);
  const out = createWriteStream(file);
  const write = async (line: object): Promise<void> => {
    if (!out.write(`${JSON.stringify(line)}\n`)) await once(out, 'drain');
  };
  for (let at = 0; at < CAMPAIGNS; at++) {
    const campaign = { id: `camp-${at}`, name: 'replayed', daily_budget_cents: 10_000 };
    await write({ type: 'campaign', t_ms: START_MS, campaign });
  }
  for (let bid = 0; bid < bids; bid++) {
    const t_ms = START_MS + Math.floor((bid / bids) * DAY_MS);
    const campaign_id = `camp-${bid % CAMPAIGNS}`;
    await write({ type: 'bid', t_ms, id: `bid-${bid}`, campaign_id, bid_micros: 50_000 });
    if (random() < WIN_SHARE) {
      await write({ type: 'spend', t_ms, bid_id: `bid-${bid}`, campaign_id, spend_micros: 40_000 });
    }
  }
  await write({ type: 'end', t_ms: START_MS + DAY_MS - 1 });
  out.end();
  await once(out, 'finish');
}

/** Seconds to read and parse every line. */
function parseSeconds(file: string): number {
  const startedAtMs = performance.now();
  let lines = 0;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line !== '' && JSON.parse(line) !== null) lines++;
  }
  if (lines === 0) throw new Error('the file has no lines');
  return (performance.now() - startedAtMs) / 1000;
}

/** Seconds from the command to its end, its start included. */
async function replaySeconds({ root, workshop }: Bench, file: string): Promise<number> {
  const startedAtMs = performance.now();
  const command = join(root, 'dist/cli/pacer.js');
  const child = spawn(process.execPath, [command, 'replay', '--input', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
    signal: workshop.signal,
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`pacer replay ended with ${code}`);
  return (performance.now() - startedAtMs) / 1000;
}

function report(bench: Bench, replayed: readonly number[], parsed: readonly number[]): Report {
  const decided = spreadOf(replayed);
  const bare = spreadOf(parsed);
  const row = (name: string, { median, min, max }: typeof bare): string[] => [
    name,
    fixed(median, 0),
    fixed(min, 0),
    fixed(max, 0),
  ];
  return {
    title: `replay: ${replayScenario.describe}`,
    columns: ['what', 'bid lines/s', 'min', 'max'],
    rows: [row('read and parsed only', bare), row('replayed', decided)],
    notes: [
      `of the bare reader: ${fixed(decided.median / bare.median, 2)}`,
      ...goalNote(
        bench,
        `at least ${LINES_A_SECOND_MIN} bid lines a second`,
        decided.median >= LINES_A_SECOND_MIN,
        `${fixed(decided.median, 0)} a second`,
      ),
    ],
    problems: [],
    figures: { replayed, parsed },
  };
}
