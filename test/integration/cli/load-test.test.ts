import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pacer } from '../../support/pacer-command.ts';
import { TestPod } from '../../support/pod.ts';

interface Figures {
  readonly count: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
}

interface LoadTest {
  readonly passed: boolean;
  readonly latency: Readonly<
    Record<'decision' | 'spend' | 'loss', { readonly corrected: Figures; readonly uncorrected: Figures }>
  >;
  readonly decisions: Readonly<Record<string, number>>;
  readonly spent_cents: number;
  readonly unsent: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly breakers: Readonly<Record<string, number>> | null;
}

describe('pacer load-test', () => {
  let pod: TestPod;
  let env: Record<string, number>;

  beforeAll(async () => {
    pod = await TestPod.start();
    env = { PORT: pod.port, API_PORT: pod.apiPort };
  });
  afterAll(() => pod.remove());

  async function active(): Promise<string[]> {
    const { body } = await pod.api.request<{ id: string }[]>(
      'GET',
      '/campaigns?status=ACTIVE&q=load-test-&limit=100',
    );
    return body.map(({ id }) => id);
  }

  it('refuses to bid on campaigns that are not its own', async () => {
    await pod.createCampaign({ id: 'precious', daily_budget_cents: 1_000 });
    const { code, error } = await pacer(['load-test', '--qps', '10', '--duration', '1'], env);
    expect(code).toBe(1);
    expect(error).toContain('no active campaign whose id begins with load-test-');
  });

  it('asks as often as it is told, reports every win and loss, and the pod has counted them all', async () => {
    const words = ['--qps', '200', '--duration', '2', '--setup', '--campaigns', '2', '--keep', '--json'];
    const { code, text, error } = await pacer(['load-test', ...words], env);
    const result = JSON.parse(text) as LoadTest;
    expect(result).toMatchObject({ passed: true, unsent: 0, errors: {}, breakers: null });
    expect(code).toBe(0);
    expect(error).toMatch(/^1\/2 s {2}\d+ decisions\/s {2}p99 /m);
    const { decision, spend, loss } = result.latency;
    expect(decision.corrected.count).toBe(400);
    const allowed = result.decisions.within_budget ?? 0;
    expect(spend.corrected.count + loss.corrected.count).toBe(allowed);
    const ids = await active();
    expect(ids).toHaveLength(2);
    let counted = 0;
    for (const id of ids) {
      const status = await pod.core.status(id);
      counted += status.daily_spent_cents;
      expect(status.reserved_cents).toBe(0);
    }
    expect(counted).toBeCloseTo(result.spent_cents, 6);
  });

  it('uses the campaigns that were kept, three times as fast in the middle of a surge', async () => {
    const words = ['--qps', '60', '--duration', '3', '--pattern', 'surge'];
    const { code, text } = await pacer(['load-test', ...words], env);
    expect(code).toBe(0);
    expect(text).toMatch(/^LATENCY +COUNT +P50 +P90 +P99 +P99.9 +MAX$/m);
    expect(text).toMatch(/^decision +300 /m);
    expect(text).toMatch(/^errors: 0$/m);
  });

  it('sees every breaker trip and no budget overspent, and deletes what it made', async () => {
    const before = await active();
    const words = ['--qps', '300', '--duration', '4', '--pattern', 'circuit_breaker_test', '--setup'];
    const { code, text } = await pacer(['load-test', ...words, '--campaigns', '3', '--json'], env);
    const { breakers, decisions } = JSON.parse(text) as LoadTest;
    expect(breakers).toMatchObject({ campaigns: 3, tripped: 3, overspent_cents: 0 });
    expect(decisions.circuit_breaker_open).toBeGreaterThan(0);
    expect(code).toBe(0);
    expect(await active()).toEqual(before);
  });

  it('counts the time that requests waited behind a server that stalls', async () => {
    let asked = 0;
    const stalling = createServer((request, reply) => {
      const answer = () => reply.end('{"allow_bid":false,"reason":"throttled"}');
      request.resume();
      // The first is answered only when the last has been due for long: with one connection, all wait behind it.
      if (asked++ === 0) setTimeout(answer, 2_500);
      else answer();
    });
    await new Promise<void>((done) => stalling.listen(0, '127.0.0.1', done));
    const { port } = stalling.address() as AddressInfo;
    const words = ['--qps', '100', '--duration', '2', '--connections', '1', '--json'];
    const { text } = await pacer(['load-test', ...words, '--url', `http://127.0.0.1:${port}`], env);
    const { latency } = JSON.parse(text) as LoadTest;
    stalling.closeAllConnections();
    await new Promise((done) => stalling.close(done));
    expect(latency.decision.corrected.count).toBe(200);
    // Sent one after the other as fast as can be, half of them look fast; as asked for, half of them waited long.
    expect(latency.decision.uncorrected.p50_ms).toBeLessThan(latency.decision.corrected.p50_ms);
    expect(latency.decision.corrected.p50_ms).toBeGreaterThan(100);
  });

  it('says what failed, with exit code 1', async () => {
    const refusing = createServer((request, reply) => {
      request.resume();
      reply.writeHead(429, { 'content-length': 2 }).end('{}');
    });
    await new Promise<void>((done) => refusing.listen(0, '127.0.0.1', done));
    const { port } = refusing.address() as AddressInfo;
    const words = ['--qps', '20', '--duration', '1', '--url', `http://127.0.0.1:${port}`];
    const { code, text } = await pacer(['load-test', ...words], env);
    refusing.closeAllConnections();
    await new Promise((done) => refusing.close(done));
    expect(code).toBe(1);
    expect(text).toContain('errors: 20\n  20 × decision: 429 {}\n');
  });

  it('names an option that it does not accept', async () => {
    expect((await pacer(['load-test', '--pattern', 'calm'])).error).toContain(
      '--pattern "calm" is not accepted: it takes one of normal, surge, circuit_breaker_test',
    );
    expect((await pacer(['load-test', '--pattern', 'circuit_breaker_test'])).error).toContain(
      'needs --setup',
    );
    expect((await pacer(['load-test', '--qps', '0'])).code).toBe(1);
  });
});
