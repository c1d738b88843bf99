import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestFleet } from '../../support/fleet.ts';
import { pacer } from '../../support/pacer-command.ts';
import { freePorts, TestPod } from '../../support/pod.ts';

const EDGE_TOKEN = 'edge-token-of-the-test';
const API_TOKEN = 'operator-token-of-the-test';
const CHECKS = [
  'connectivity',
  'latency',
  'exact budget tracking',
  'circuit breaker',
  'pacing modes',
  'concurrent spends',
  'recovery',
  'persistence',
];

interface Validation {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly checks: readonly { readonly check: string; readonly outcome: string; readonly note: string }[];
}

/** How fast the machine is is not what these tests are about. */
function withoutLatency({ checks }: Validation): string[] {
  return checks.filter(({ check }) => check !== 'latency').map(({ outcome, note }) => `${outcome}: ${note}`);
}

describe('pacer validate', () => {
  let pod: TestPod;
  let env: Record<string, string | number>;

  beforeAll(async () => {
    const tokens = { EDGE_TOKEN, API_TOKENS: `grafana:viewer:other-token,test:operator:${API_TOKEN}` };
    pod = await TestPod.start({ env: tokens, edgeToken: EDGE_TOKEN, apiToken: API_TOKEN });
    env = { ...tokens, PORT: pod.port, API_PORT: pod.apiPort };
  });
  afterAll(() => pod.remove());

  it('prints a line for each of the eight checks of a pod that is well, and their count', async () => {
    const { text, error } = await pacer(['validate'], env);
    expect(error).toBe('');
    const lines = text.trimEnd().split('\n');
    expect(lines.map((line) => /^(?:passed|failed|skipped) +(.*?) \(/.exec(line)?.[1])).toEqual([
      ...CHECKS,
      undefined,
    ]);
    const kept = lines.filter((line) => !line.includes('latency (') && !/^\d/.test(line));
    expect(kept.filter((line) => !line.startsWith('passed '))).toEqual([]);
    expect(lines.at(-1)).toMatch(/^[78] passed, [01] failed, 0 skipped$/);
  });

  it('deletes the campaigns that it made', async () => {
    const listed = async (query: string): Promise<number> =>
      (await pod.api.request<object[]>('GET', `/campaigns?q=validate-&limit=100${query}`)).body.length;
    expect(await listed('')).toBe(0);
    expect(await listed('&status=DELETED')).toBeGreaterThan(0);
  });

  it('fails with exit code 1 where spend is answered and lost', async () => {
    const front = await losingSpends(pod.port, 10);
    const { port } = front.address() as AddressInfo;
    const words = ['validate', '--json', '--url', `http://127.0.0.1:${port}`];
    const { code, text } = await pacer(words, env);
    front.closeAllConnections();
    await new Promise((done) => front.close(done));
    expect(code).toBe(1);
    const { checks } = JSON.parse(text) as Validation;
    const concurrent = checks.find(({ check }) => check === 'concurrent spends');
    expect(concurrent?.outcome).toBe('failed');
    expect(concurrent?.note).toMatch(/^daily_spent_cents of \S+ is \d+ where it must be 5050$/);
  });

  it('skips the rest when nobody answers', async () => {
    const [port, apiPort] = await freePorts();
    const { code, text } = await pacer(['validate', '--json'], { PORT: port, API_PORT: apiPort });
    expect(code).toBe(1);
    expect(JSON.parse(text)).toMatchObject({ passed: 0, failed: 1, skipped: 7 });
  });

  it('passes on a pod of a fleet', async () => {
    const fleet = await TestFleet.start(2);
    try {
      const ports = { PORT: fleet.pod(0).port, API_PORT: fleet.pod(1).apiPort };
      const { text } = await pacer(['validate', '--json'], ports);
      const outcomes = withoutLatency(JSON.parse(text) as Validation);
      expect(outcomes.filter((outcome) => !outcome.startsWith('passed'))).toEqual([]);
    } finally {
      await fleet.remove();
    }
  });
});

/** Hands requests on, but answers every n-th spend itself. */
async function losingSpends(port: number, every: number): Promise<Server> {
  let spends = 0;
  const front = createServer((request, reply) => {
    if (request.url === '/spend/track' && ++spends % every === 0) {
      request.resume().once('end', () => reply.end('{"status":"success"}'));
      return;
    }
    const { method, url, headers } = request;
    const onward = httpRequest({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      reply.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(reply);
    });
    request.pipe(onward);
  });
  await new Promise<void>((done) => front.listen(0, '127.0.0.1', done));
  return front;
}
