/**
 * `pacer validate`: eight checks of a running system, with campaigns that it makes and deletes. A line for each,
 * `passed`, `failed` or `skipped`; exit code 1 when one failed. Without connectivity the others are skipped.
 */
import { parseArgs } from 'node:util';
import { PACER_OPTIONS, runningPacer } from '../running-pacer.ts';
import { ServiceClient } from '../service-client.ts';
import { TestCampaigns } from '../test-campaigns.ts';
import { type Check, Skipped, type System } from './check.ts';
import { CHECKS } from './checks.ts';

interface Outcome {
  readonly check: string;
  readonly criterion: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** What was seen, or why not. */
  readonly note: string;
  readonly seconds: number;
}

const CONNECTIONS_MAX = 32;

export async function runValidate(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...words], options: PACER_OPTIONS });
  const pacer = runningPacer(values);
  const core = new ServiceClient(pacer.core, { connectionsMax: CONNECTIONS_MAX });
  const api = new ServiceClient(pacer.api);
  const campaigns = new TestCampaigns(core, api);
  const prefix = `validate-${Date.now().toString(36)}`;
  const outcomes: Outcome[] = [];
  try {
    for (const check of CHECKS) {
      const unreachable = outcomes[0]?.outcome === 'failed';
      const outcome = unreachable
        ? skipped(check, 'without connectivity')
        : await outcomeOf(check, { core, api, coreAddress: pacer.core, campaigns, prefix });
      outcomes.push(outcome);
      if (!values.json) process.stdout.write(line(outcome));
    }
  } finally {
    const left = await campaigns.remove();
    if (left.length > 0)
      process.stderr.write(`pacer: these campaigns were not deleted: ${left.join(', ')}\n`);
    core.close();
    api.close();
  }
  const count = (outcome: string): number => outcomes.filter((each) => each.outcome === outcome).length;
  const failed = count('failed');
  const counts = { passed: count('passed'), failed, skipped: count('skipped') };
  if (values.json) process.stdout.write(`${JSON.stringify({ ...counts, checks: outcomes })}\n`);
  else process.stdout.write(`${counts.passed} passed, ${failed} failed, ${counts.skipped} skipped\n`);
  if (failed > 0) process.exitCode = 1;
}

async function outcomeOf(check: Check, system: System): Promise<Outcome> {
  const { name, criterion, run } = check;
  const startedAtMs = performance.now();
  const result = (outcome: Outcome['outcome'], note: string): Outcome => {
    const seconds = Math.round(performance.now() - startedAtMs) / 1000;
    return { check: name, criterion, outcome, note, seconds };
  };
  try {
    return result('passed', await run(system));
  } catch (error) {
    const note = error instanceof Error ? error.message : String(error);
    return result(error instanceof Skipped ? 'skipped' : 'failed', note);
  }
}

function skipped({ name, criterion }: Check, note: string): Outcome {
  return { check: name, criterion, outcome: 'skipped', note, seconds: 0 };
}

function line({ check, criterion, outcome, note }: Outcome): string {
  return `${outcome.padEnd(7)}  ${check} (${criterion}): ${note}\n`;
}
