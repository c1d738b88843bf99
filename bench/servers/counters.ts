/** The server's own account of what it did, read from /metrics before and after each run. */

import { setTimeout as pause } from 'node:timers/promises';

export interface Counters {
  /** Decisions by reason, those that never occurred left out. */
  readonly decisions: Readonly<Record<string, number>>;
  readonly spends: number;
  readonly duplicates: number;
  readonly refused: number;
}

const SETTLED_MS = 50;
const SETTLED_LOOKS_MAX = 100;
const ALLOWED = new Set(['within_budget', 'probe']);

export async function readCounters(url: string): Promise<Counters> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`/metrics answered ${response.status}: ${text.slice(0, 200)}`);
  const decisions: Record<string, number> = {};
  for (const [, reason, value] of text.matchAll(/^pacer_decisions_total\{reason="(\w+)"\} (\S+)$/gm)) {
    if (reason !== undefined && Number(value) > 0) decisions[reason] = Number(value);
  }
  return {
    decisions,
    spends: plain(text, 'pacer_spends_total'),
    duplicates: plain(text, 'pacer_spend_duplicates_total'),
    refused: plain(text, 'pacer_requests_refused_total'),
  };
}

/** The same once nothing is counted any more: a load leaves a request a connection behind when it ends. */
export async function readSettledCounters(url: string): Promise<Counters> {
  let before = await readCounters(url);
  for (let look = 0; look < SETTLED_LOOKS_MAX; look++) {
    await pause(SETTLED_MS);
    const now = await readCounters(url);
    if (now.spends === before.spends && decided(now) === decided(before)) return now;
    before = now;
  }
  throw new Error('the server goes on counting long after the load');
}

/** What was counted between two readings. */
export function countedBetween(before: Counters, after: Counters): Counters {
  const decisions: Record<string, number> = {};
  for (const [reason, count] of Object.entries(after.decisions)) {
    const more = count - (before.decisions[reason] ?? 0);
    if (more > 0) decisions[reason] = more;
  }
  return {
    decisions,
    spends: after.spends - before.spends,
    duplicates: after.duplicates - before.duplicates,
    refused: after.refused - before.refused,
  };
}

export function decided({ decisions }: Counters): number {
  return Object.values(decisions).reduce((sum, count) => sum + count, 0);
}

/** Share of the decisions that were denials, 0–1. */
export function deniedShare(counters: Counters): number {
  const all = decided(counters);
  const allowed = Object.entries(counters.decisions)
    .filter(([reason]) => ALLOWED.has(reason))
    .reduce((sum, [, count]) => sum + count, 0);
  return all === 0 ? 0 : (all - allowed) / all;
}

function plain(text: string, name: string): number {
  const line = new RegExp(`^${name} (\\S+)$`, 'm').exec(text);
  if (line === null) throw new Error(`/metrics has no ${name}`);
  return Number(line[1]);
}
