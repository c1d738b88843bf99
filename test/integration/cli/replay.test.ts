import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const PACER = fileURLToPath(new URL('../../../dist/cli/pacer.js', import.meta.url));
const DAY_MS = Date.UTC(2026, 2, 2);

interface Answer {
  readonly id: string;
  readonly allow: boolean;
  readonly max_bid_micros: number;
  readonly reason: string;
  readonly explain?: { readonly because: string; readonly target_cents: number };
}

const campaignLine = (campaign: object, more: object = {}, t_ms = DAY_MS): object => ({
  type: 'campaign',
  t_ms,
  campaign: { id: 'c', name: 'c', daily_budget_cents: 1000, breaker_threshold: 1, ...campaign },
  ...more,
});
const bidLine = (t_ms: number, id: string, bid_micros = 10_000): object => ({
  type: 'bid',
  t_ms,
  id,
  campaign_id: 'c',
  bid_micros,
});
const spendLine = (t_ms: number, bid_id: string, spend_micros: number): object => ({
  type: 'spend',
  t_ms,
  bid_id,
  campaign_id: 'c',
  spend_micros,
});

function run(lines: readonly (object | string)[], words: readonly string[] = []) {
  const input = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  const { stdout, stderr, status } = spawnSync(process.execPath, [PACER, 'replay', ...words], { input });
  const answers = stdout
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  return { answers, text: stdout.toString(), error: stderr.toString(), status };
}

/** Bids at equal distances, of which every fourth wins. */
function someBids(everyMs: number): object[] {
  const lines: object[] = [];
  for (let bid = 0; bid < 4320; bid++) {
    const atMs = DAY_MS + bid * everyMs;
    lines.push(bidLine(atMs, `b${bid}`, 20_000));
    if (bid % 4 === 0) lines.push(spendLine(atMs, `b${bid}`, 15_000));
  }
  return lines;
}

describe('a replay', () => {
  it('answers each bid line in order, and each campaign at the end, and prints nothing else', () => {
    const { answers, status, error } = run([
      campaignLine({ pacing_mode: 'ASAP' }),
      bidLine(DAY_MS + 1, 'b1', 4_000_000),
      bidLine(DAY_MS + 2, 'b2', 8_000_000),
      bidLine(DAY_MS + 3, 'b3'),
      spendLine(DAY_MS + 4, 'b1', 0),
      spendLine(DAY_MS + 5, 'b2', 5_000_000),
      spendLine(DAY_MS + 6, 'b2', 5_000_000),
      { ...bidLine(DAY_MS + 7, 'other'), campaign_id: 'nobody' },
      { type: 'end', t_ms: DAY_MS + 1000 },
    ]);
    expect(error).toBe('');
    expect(status).toBe(0);
    expect(answers.slice(0, 4)).toEqual([
      { id: 'b1', allow: true, max_bid_micros: 4_000_000, throttle_rate: 0, reason: 'within_budget' },
      { id: 'b2', allow: true, max_bid_micros: 6_000_000, throttle_rate: 0, reason: 'within_budget' },
      { id: 'b3', allow: false, max_bid_micros: 0, throttle_rate: 0, reason: 'budget_reserved' },
      { id: 'other', allow: false, max_bid_micros: 0, throttle_rate: 0, reason: 'campaign_not_found' },
    ]);
    expect(answers).toHaveLength(5);
    expect(answers[4]).toMatchObject({
      type: 'summary',
      campaign_id: 'c',
      bids: 3,
      spent_today_micros: 5_000_000,
      reserved_micros: 0,
      overspent_micros: 0,
    });
  });

  it('is the same for the same seed, and another for another', () => {
    const lines = [campaignLine({ daily_budget_cents: 50_000 }), ...someBids(100)];
    const first = run(lines, ['--seed', '7']).text;
    expect(run(lines, ['--seed', '7']).text).toBe(first);
    expect(run(lines, ['--seed', '8']).text).not.toBe(first);
  });

  it('reads a file as it reads standard input', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pacer-replay-'));
    const file = join(folder, 'day.ndjson');
    const lines = [campaignLine({}), ...someBids(20_000), { type: 'end', t_ms: DAY_MS + 86_399_999 }];
    writeFileSync(file, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
    expect(run([], ['--input', file]).text).toBe(run(lines).text);
    rmSync(folder, { recursive: true });
  });

  it('says why a bid was decided as it was when its line asks', () => {
    const { answers } = run([campaignLine({}), { ...bidLine(DAY_MS + 43_200_000, 'b'), explain: true }]);
    expect((answers[0] as Answer).explain?.target_cents).toBeCloseTo(500, 1);
    expect((answers[0] as Answer).explain?.because).toContain('EVEN plan');
  });

  it('takes the same campaign again as an update, without a jump in its plan', () => {
    const noon = DAY_MS + 43_200_000;
    const asked = { ...bidLine(noon + 1000, 'b'), explain: true };
    const { answers } = run([campaignLine({}), campaignLine({ daily_budget_cents: 600 }, {}, noon), asked]);
    expect((answers[0] as Answer).explain?.target_cents).toBeCloseTo(500, 1);
  });

  it.each([
    ['no JSON', '{"type":', 'it is not JSON'],
    ['no object', '[]', 'it is not a JSON object'],
    ['an unknown type', { type: 'ask', t_ms: DAY_MS }, 'type must be one of'],
    ['no time', { type: 'end' }, 't_ms must be'],
    ['time that goes back', bidLine(DAY_MS - 1, 'b'), 't_ms goes back'],
    ['a bid of nothing', bidLine(DAY_MS, 'b', 0), 'bid_micros must be'],
    ['half a micro', bidLine(DAY_MS, 'b', 0.5), 'bid_micros must be'],
    ['a negative spend', spendLine(DAY_MS, 'b', -1), 'spend_micros must be'],
    ['a bad id', bidLine(DAY_MS, 'b b'), 'id must be 1 to 128 characters'],
    ['spend of no campaign', { ...spendLine(DAY_MS, 'b', 1), campaign_id: 'x' }, 'no campaign line for x'],
    ['a campaign with a bad field', campaignLine({ pacing_mode: 'SLOW' }), 'pacing_mode must be'],
    ['a campaign with an unknown field', campaignLine({ budget: 1 }), 'budget is not a field'],
    ['a shape of 23 hours', campaignLine({}, { learned_shape: Array(23).fill(1) }), 'learned_shape must be'],
  ])('stops at a line with %s, with its number, after answering the ones before', (_what, bad, message) => {
    const { answers, error, status } = run([campaignLine({}), bidLine(DAY_MS, 'before'), bad]);
    expect(status).toBe(1);
    expect(error).toMatch(/^pacer: replay: line 3: .+\n$/);
    expect(error).toContain(message);
    expect(answers).toMatchObject([{ id: 'before' }]);
  });

  it('has answered all it was given before it waits for more', async () => {
    const child: ChildProcessWithoutNullStreams = spawn(process.execPath, [PACER, 'replay']);
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stdin.write(`${JSON.stringify(campaignLine({}))}\n`);
    for (let bid = 0; bid < 20; bid++) {
      child.stdin.write(`${JSON.stringify(bidLine(DAY_MS + bid * 1000, `b${bid}`))}\n`);
      expect(JSON.parse((await answers.next()).value as string)).toMatchObject({ id: `b${bid}` });
    }
    child.stdin.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
