/**
 * Both ports under more than 100,000 mutated requests. The same in every run; PACER_FUZZ_SEED=random sends
 * others, and their seed, which is printed, sends them again. PACER_FUZZ_SCALE=10 sends ten times as many.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ApiDocument } from '../../support/api-contract.ts';
import { ApiFuzz } from '../../support/fuzz/api-fuzz.ts';
import { CORE_CAMPAIGNS, CoreFuzz } from '../../support/fuzz/core-fuzz.ts';
import { fuzzSeed } from '../../support/fuzz/dice.ts';
import type { FuzzRun } from '../../support/fuzz/fuzz-run.ts';
import { fuzzRaw } from '../../support/fuzz/raw-fuzz.ts';
import { TestPod } from '../../support/pod.ts';
import { until } from '../../support/pod-wait.ts';

const EDGE_TOKEN = 'edge-token-of-the-fuzzing-test';
const OPERATORS = Array.from({ length: 100 }, (_, at) => `operator-${at}-of-the-fuzzing-test`);
const [OPERATOR = ''] = OPERATORS;
const RESERVATION_TTL_MS = 2_000;
const SCALE = Number(process.env.PACER_FUZZ_SCALE ?? 1);
/** Of the whole process, from the end of the first quarter on. */
const GROWTH_BYTES_MAX = 128 * 1024 * 1024;
const QUARTERS = 4;

const seed = fuzzSeed();
let pod: TestPod;

beforeAll(async () => {
  pod = await TestPod.start({
    env: {
      EDGE_TOKEN,
      API_TOKENS: OPERATORS.map((token, at) => `operator-${at}:operator:${token}`).join(','),
      EDGE_THREADS: 1,
      SHARDS: 2,
      RESERVATION_TTL_MS,
      LOG_LEVEL: 'warn',
    },
    edgeToken: EDGE_TOKEN,
    apiToken: OPERATOR,
  });
  const budget = { daily_budget_cents: 1_000_000_000, breaker_threshold: 1 };
  for (const id of [...CORE_CAMPAIGNS, 'raw', 'api-0', 'api-1', 'api-2', 'api-3']) {
    await pod.createCampaign({ id, ...budget });
  }
});
afterAll(() => pod.remove());

const residentBytes = (): number =>
  1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pod.pid}/status`, 'utf8'))?.[1]);
const descriptors = (): number => readdirSync(`/proc/${pod.pid}/fd`).length;

it('survives 100,000 mutated requests on both ports: none crashes, hangs, leaks or loses a micro', {
  timeout: 180_000 * SCALE,
}, async () => {
  console.log(`PACER_FUZZ_SEED=${seed}`);
  const { pid } = pod;
  const document = (await pod.api.request<ApiDocument>('GET', '/openapi.json')).body;
  const core = new CoreFuzz(pod.port, EDGE_TOKEN);
  const api = new ApiFuzz({ port: pod.apiPort, document, tokens: OPERATORS });
  const runs: FuzzRun[] = [];
  const share = SCALE / QUARTERS;
  let settledBytes = 0;
  let settledDescriptors = 0;
  for (let quarter = 0; quarter < QUARTERS; quarter++) {
    const startedMs = performance.now();
    const at = seed + quarter * 1_000_003;
    const fuzzed = Promise.all([
      core.decide(60_000 * share, at),
      core.spend(24_000 * share, at),
      api.run(10_000 * share, at),
      fuzzRaw(pod.port, EDGE_TOKEN, at, 8_000 * share),
      fuzzRaw(pod.apiPort, OPERATOR, at, 4_000 * share),
    ]);
    runs.push(
      ...(await fuzzed.catch((error: unknown) => {
        throw new Error(`PACER_FUZZ_SEED=${seed}: the pod has ended: ${pod.output.slice(-3_000)}`, {
          cause: error,
        });
      })),
    );
    console.log(
      `${Math.round(performance.now() - startedMs)} ms, ${Math.round(residentBytes() / 2 ** 20)} MB, ${descriptors()} descriptors`,
    );
    if (quarter === 0) settledBytes = residentBytes();
    if (quarter === 0) settledDescriptors = descriptors();
  }
  for (const { summary } of runs) console.log(summary);
  const faults = runs.flatMap((run) => run.faults);
  expect(faults, `PACER_FUZZ_SEED=${seed}\n${faults.join('\n')}`).toEqual([]);
  expect(runs.reduce((sum, { requests }) => sum + requests, 0)).toBeGreaterThanOrEqual(
    100_000 * Math.min(1, SCALE),
  );

  expect(pod.pid).toBe(pid);
  expect((await pod.core.request('GET', '/health')).body).toMatchObject({ status: 'healthy' });
  expect(pod.output).not.toMatch(/met a bug|a thread died|unexpected error|"level":60/);
  expect(residentBytes() - settledBytes).toBeLessThan(GROWTH_BYTES_MAX);
  await until('descriptors are given back', () => descriptors() <= settledDescriptors + 64);

  for (const id of CORE_CAMPAIGNS) {
    const { total_spent_cents: cents } = await pod.core.status(id);
    const counted = core.books.counted.get(id) ?? 0;
    const unknown = core.books.unknown.get(id) ?? 0;
    const micros = Math.round(cents * 10_000);
    expect(counted, id).toBeGreaterThan(0);
    expect(micros, id).toBeGreaterThanOrEqual(counted);
    expect(micros, id).toBeLessThanOrEqual(counted + unknown);
  }
  for (const id of [...CORE_CAMPAIGNS, 'raw']) {
    await until(
      `nothing of ${id} is in flight any more`,
      async () => (await pod.core.status(id)).reserved_cents === 0,
    );
  }
  const exit = await pod.stop();
  expect(exit).toEqual({ code: 0, signal: null });
});
