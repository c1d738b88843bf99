/**
 * `pacer load-test`: open-loop load on a running pacer, a progress line on standard error, and a table of latencies. Exit
 * code 1 when requests failed or were never sent, or a breaker test's budgets were overspent or its breakers did not trip.
 */
import { parseArgs } from 'node:util';
import { ConfigError } from '../../config/config.ts';
import { PACER_OPTIONS, runningPacer, wholeNumber } from '../running-pacer.ts';
import { ServiceClient } from '../service-client.ts';
import { TestCampaigns } from '../test-campaigns.ts';
import { millisecondsText, textTable } from '../text-table.ts';
import type { LatencyFigures } from './latencies.ts';
import {
  BID_CENTS,
  type BreakerVerdict,
  breakerVerdict,
  budgetCents,
  keptCampaigns,
  setUp,
} from './load-campaigns.ts';
import { LoadShape, PATTERNS, type Pattern } from './load-shape.ts';
import { KINDS, OpenLoop } from './open-loop.ts';

interface Options {
  readonly qps: number;
  readonly seconds: number;
  readonly pattern: Pattern;
  readonly setup: boolean;
  readonly keep: boolean;
  readonly campaigns: number;
  readonly connections: number;
  readonly json: boolean;
}

const PROGRESS_MS = 1_000;
/** To ask every pod for several campaigns at once: in a fleet a status waits for a flush to Redis. */
const SETUP_CONNECTIONS = 64;
const WIN_SHARE = 0.2;

export async function runLoadTest(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      ...PACER_OPTIONS,
      qps: { type: 'string', default: '1000' },
      duration: { type: 'string', default: '30' },
      pattern: { type: 'string', default: 'normal' },
      setup: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      campaigns: { type: 'string', default: '10' },
      connections: { type: 'string', default: '64' },
    },
  });
  const options: Options = {
    qps: wholeNumber('--qps', values.qps, 1, 1_000_000),
    seconds: wholeNumber('--duration', values.duration, 1, 86_400),
    pattern: patternOf(values.pattern),
    setup: values.setup,
    keep: values.keep,
    campaigns: wholeNumber('--campaigns', values.campaigns, 1, 1_000),
    connections: wholeNumber('--connections', values.connections, 1, 10_000),
    json: values.json,
  };
  if (options.pattern === 'circuit_breaker_test' && !options.setup) {
    throw new ConfigError(
      '--pattern circuit_breaker_test needs --setup: its budgets must fit the length of the run',
    );
  }
  const pacer = runningPacer(values);
  const core = new ServiceClient(pacer.core, { connectionsMax: SETUP_CONNECTIONS });
  const api = new ServiceClient(pacer.api);
  const campaigns = new TestCampaigns(core, api);
  try {
    const shape = new LoadShape(options.pattern, options.qps, options.seconds);
    const run = Date.now().toString(36);
    const budget = budgetCents(options.pattern, shape, options.campaigns);
    const campaignIds = options.setup
      ? await setUpWithProgress(campaigns, run, options.campaigns, budget)
      : await keptCampaigns(api);
    const winShare = options.pattern === 'circuit_breaker_test' ? 1 : WIN_SHARE;
    const { connections } = options;
    const load = new OpenLoop({
      address: pacer.core,
      shape,
      campaignIds,
      connections,
      bidCents: BID_CENTS,
      winShare,
      run,
    });
    await withProgress(load, shape);
    const verdict =
      options.pattern === 'circuit_breaker_test'
        ? await breakerVerdict(campaigns, campaignIds, load.spentCents)
        : null;
    const passed = load.errorCount === 0 && load.unsent === 0 && (verdict === null || isSound(verdict));
    process.stdout.write(options.json ? json(options, load, verdict, passed) : report(load, verdict));
    if (!passed) process.exitCode = 1;
  } finally {
    if (!options.keep) await takeAway(campaigns);
    core.close();
    api.close();
  }
}

function patternOf(text: string): Pattern {
  const pattern = PATTERNS.find((known) => known === text);
  if (pattern !== undefined) return pattern;
  throw new ConfigError(
    `--pattern ${JSON.stringify(text)} is not accepted: it takes one of ${PATTERNS.join(', ')}`,
  );
}

/** A line on standard error, in place of the last one on a terminal. */
function progress(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${text}` : `${text}\n`);
}

/** Makes the campaigns; when that takes long, a line a second says how far it is. */
async function setUpWithProgress(
  campaigns: TestCampaigns,
  run: string,
  count: number,
  dailyBudgetCents: number,
): Promise<string[]> {
  let made = 0;
  const timer = setInterval(() => progress(`${made}/${count} campaigns made`), PROGRESS_MS);
  try {
    return await setUp(campaigns, run, count, dailyBudgetCents, (sofar) => {
      made = sofar;
    });
  } finally {
    clearInterval(timer);
  }
}

/** Runs it with a line a second, rewritten in place on a terminal. An interrupt ends it and still reports. */
async function withProgress(load: OpenLoop, shape: LoadShape): Promise<void> {
  const startedAtMs = performance.now();
  let before = 0;
  const line = (): void => {
    const seconds = Math.round((performance.now() - startedAtMs) / 1000);
    const { p99_ms: p99 } = load.latencies.decision.corrected;
    const rate = load.decisionsAnswered - before;
    before = load.decisionsAnswered;
    progress(
      `${seconds}/${shape.seconds} s  ${rate} decisions/s  p99 ${millisecondsText(p99)}  ${load.waiting} waiting  ${load.errorCount} errors`,
    );
  };
  const timer = setInterval(line, PROGRESS_MS);
  const interrupted = (): void => load.stop();
  process.once('SIGINT', interrupted);
  await load.run();
  process.off('SIGINT', interrupted);
  clearInterval(timer);
  if (process.stderr.isTTY) process.stderr.write('\n');
}

async function takeAway(campaigns: TestCampaigns): Promise<void> {
  const left = await campaigns.remove();
  if (left.length > 0) process.stderr.write(`pacer: these campaigns were not deleted: ${left.join(', ')}\n`);
}

function isSound({ campaigns, tripped, overspent_cents: over }: BreakerVerdict): boolean {
  return tripped === campaigns && over === 0;
}

function report(load: OpenLoop, verdict: BreakerVerdict | null): string {
  const rows = KINDS.flatMap((kind) => {
    const latencies = load.latencies[kind];
    if (latencies.corrected.count === 0) return [];
    return [row(kind, latencies.corrected), row('  from sending', latencies.uncorrected)];
  });
  const heading = ['LATENCY', 'COUNT', 'P50', 'P90', 'P99', 'P99.9', 'MAX'];
  const table = textTable([heading, ...rows], [1, 2, 3, 4, 5, 6]);
  const reasons = [...load.reasons].map(([reason, count]) => `${reason} ${count}`).join(', ');
  const lines = [
    `decisions: ${reasons || 'none'}`,
    `spent: ${load.spentCents.toFixed(2)} cents, each on stable storage`,
    ...(load.unsent > 0 ? [`never sent: ${load.unsent} decisions that were due`] : []),
    `errors: ${load.errorCount}`,
    ...[...load.errors].map(([what, count]) => `  ${count} × ${what}`),
    ...(verdict === null ? [] : [verdictLine(verdict)]),
  ];
  return `${table}${lines.join('\n')}\n`;
}

function row(name: string, figures: LatencyFigures): string[] {
  const { count, p50_ms: p50, p90_ms: p90, p99_ms: p99, p99_9_ms: p999, max_ms: max } = figures;
  return [name, String(count), ...[p50, p90, p99, p999, max].map(millisecondsText)];
}

function verdictLine(verdict: BreakerVerdict): string {
  const { tripped, campaigns, least_spent_percent: least, most_spent_percent: most } = verdict;
  const spent = `${least.toFixed(1)} to ${most.toFixed(1)}% of the budgets spent`;
  return `breakers: ${tripped} of ${campaigns} tripped, ${spent}, ${verdict.overspent_cents} cents overspent: ${isSound(verdict) ? 'passed' : 'failed'}`;
}

function json(options: Options, load: OpenLoop, verdict: BreakerVerdict | null, passed: boolean): string {
  const latency = Object.fromEntries(
    KINDS.map((kind) => [
      kind,
      { corrected: load.latencies[kind].corrected, uncorrected: load.latencies[kind].uncorrected },
    ]),
  );
  const { pattern, qps, seconds, connections } = options;
  return `${JSON.stringify({
    passed,
    pattern,
    qps,
    seconds,
    connections,
    latency,
    decisions: Object.fromEntries(load.reasons),
    spent_cents: load.spentCents,
    unsent: load.unsent,
    errors: Object.fromEntries(load.errors),
    breakers: verdict,
  })}\n`;
}
