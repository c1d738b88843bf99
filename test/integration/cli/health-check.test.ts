import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandResult, pacer } from '../../support/pacer-command.ts';
import { freePorts, TestPod } from '../../support/pod.ts';
import { until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';
import { TestRedis } from '../../support/redis.ts';

function check(
  env: Readonly<Record<string, string | number>>,
  words: readonly string[] = [],
): Promise<CommandResult> {
  return pacer(['health-check', ...words], env);
}

describe('pacer health-check', () => {
  let redis: TestRedis;
  let postgres: TestPostgres;
  let pod: TestPod;
  let ports: Record<string, number>;

  beforeAll(async () => {
    [redis, postgres] = await Promise.all([TestRedis.start(), TestPostgres.start()]);
    const servers = { REDIS_URL: `redis://127.0.0.1:${redis.port}`, DATABASE_URL: postgres.url };
    pod = await TestPod.start({
      env: { ...servers, EDGE_TOKEN: 'edge-token-of-the-test' },
      edgeToken: 'edge-token-of-the-test',
    });
    ports = { PORT: pod.port, API_PORT: pod.apiPort };
  });
  afterAll(async () => {
    await pod.remove();
    await Promise.all([redis.remove(), postgres.remove()]);
  });

  it('shows each service with its state and its latency, and exits with 0', async () => {
    const said = await until('the pod is healthy', async () => {
      const { code, text, error } = await check(ports);
      expect(error).toBe('');
      expect(code).toBe(0);
      return /^redis +healthy/m.test(text) && text;
    });
    expect(said).toMatch(/^SERVICE +STATE +LATENCY +NOTE$/m);
    expect(said).toMatch(/^core service +healthy +[\d.]+ ms +http:\/\/127\.0\.0\.1:\d+, version /m);
    expect(said).toMatch(/^management API +healthy +[\d.]+ ms /m);
    expect(said).toMatch(/^postgres +healthy +-/m);
  });

  it('finds a pod that listens on every address, and one that it is told of', async () => {
    const wide = { ...ports, HOST: '0.0.0.0', API_HOST: '::', ALLOW_UNAUTHENTICATED: 'true' };
    const { text } = await check(wide);
    expect(text).toMatch(/^core service +healthy/m);
    const { code } = await check({}, [
      '--url',
      `http://127.0.0.1:${pod.port}`,
      '--api-url',
      `http://localhost:${pod.apiPort}`,
    ]);
    expect(code).toBe(0);
  });

  it('speaks JSON to machines', async () => {
    const { text } = await check(ports, ['--json']);
    expect(JSON.parse(text)).toMatchObject({
      healthy: true,
      services: [
        { service: 'core service', state: 'healthy', latency_ms: expect.any(Number) },
        { service: 'management API', state: 'healthy', latency_ms: expect.any(Number) },
        { service: 'ledger', state: 'healthy' },
        { service: 'redis', state: 'healthy' },
        { service: 'postgres', state: 'healthy' },
      ],
    });
  });

  it('takes a pod that goes on without Redis as one that serves', async () => {
    await redis.stop();
    await until('the pod notices', async () => {
      const { code, text } = await check(ports);
      expect(code).toBe(0);
      return /^core service +degraded/m.test(text) && /^redis +unhealthy/m.test(text);
    });
    await redis.resume();
  });

  it('exits with 1 when no pod answers, and says why', async () => {
    const [port, apiPort] = await freePorts();
    const { code, text } = await check({ PORT: port, API_PORT: apiPort });
    expect(code).toBe(1);
    expect(text).toMatch(/^core service +unreachable +- +GET .*ECONNREFUSED/m);
  });

  it('exits with 1 when something else than a pacer answers, and when nothing is answered in time', async () => {
    const other = createServer((request, reply) => {
      if (request.headers.host === `127.0.0.1:${(other.address() as AddressInfo).port}`) reply.end('hello');
    });
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const { port } = other.address() as AddressInfo;
    const words = ['--url', `http://127.0.0.1:${port}`, '--api-url', `http://localhost:${port}`];
    const { code, text } = await check({}, [...words, '--timeout', '200']);
    other.closeAllConnections();
    await new Promise((done) => other.close(done));
    expect(code).toBe(1);
    expect(text).toContain("answered 200, which is no pacer's health");
    expect(text).toContain('no answer within 200 ms');
  });

  it('names an option that it does not accept', async () => {
    expect(await check({}, ['--url', 'localhost'])).toMatchObject({
      code: 1,
      error: 'pacer: --url "localhost" is not accepted: it takes http(s)://host:port\n',
    });
    expect(await check({}, ['--timeout', '0'])).toMatchObject({ code: 1 });
  });
});
