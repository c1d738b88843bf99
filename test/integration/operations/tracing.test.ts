import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OtlpCollector } from '../../support/otlp-collector.ts';
import { TestPod } from '../../support/pod.ts';
import { until } from '../../support/pod-wait.ts';
import { TestRedis } from '../../support/redis.ts';

const OPERATOR = 'operator-of-the-test-of-traces';
const KEY = 'key of the collector, which is secret';
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT_ID = 'b7ad6b7169203331';

describe('traces', () => {
  let redis: TestRedis;
  let collector: OtlpCollector;
  let pod: TestPod;

  beforeAll(async () => {
    redis = await TestRedis.start();
    collector = await OtlpCollector.open();
    pod = await TestPod.start({
      env: {
        REDIS_URL: `redis://127.0.0.1:${redis.port}`,
        API_TOKENS: `ops:operator:${OPERATOR}`,
        POSTGRES_FLUSH_MS: 200,
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}/`,
        OTEL_EXPORTER_OTLP_HEADERS: `api-key=${encodeURIComponent(KEY)}`,
        OTEL_SERVICE_NAME: 'pacer-under-test',
        LOG_LEVEL: 'debug',
      },
      apiToken: OPERATOR,
    });
  });
  afterAll(async () => {
    await pod.remove();
    await collector.close();
    await redis.remove();
  });

  it('tell of requests of operators, flushes and jobs, and never of a decision or a spend', async () => {
    await pod.createCampaign({ id: 'c', daily_budget_cents: 1_000_000 });
    await pod.core.decide('c', 100, 'b');
    await pod.core.spend({ campaign_id: 'c', spend_cents: 100, bid_id: 'b' });
    const simulation = { campaign_id: 'c', hours_ahead: 1 };
    expect((await pod.api.request('POST', '/pacing/simulate', simulation)).status).toBe(200);
    const wanted = ['POST /campaigns', 'flush to Redis', 'flush to Postgres', 'job runSimulation'];
    for (const name of [...wanted, 'POST /pacing/simulate']) {
      await until(`a span ${name}`, () => collector.named(name).length > 0);
    }
    const [created] = collector.named('POST /campaigns');
    expect(created).toMatchObject({
      parentSpanId: undefined,
      isError: false,
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/campaigns',
        'http.response.status_code': 201,
        'pacer.actor': 'ops',
      },
      resource: { 'service.name': 'pacer-under-test', 'thread.name': 'management' },
    });
    expect(created?.milliseconds).toBeGreaterThan(0);
    const [job] = collector.named('job runSimulation');
    const [simulated] = collector.named('POST /pacing/simulate');
    expect(job).toMatchObject({ traceId: simulated?.traceId, parentSpanId: simulated?.spanId });
    expect(collector.named('flush to Redis')[0]?.resource['thread.name']).toBe('shard-0');
    expect(collector.spans.filter(({ name }) => /decision|spend|bid|metrics|health/.test(name))).toEqual([]);
    expect([...collector.keys]).toEqual([KEY]);
  });

  it('go on those of a caller that traces, as that caller decided', async () => {
    const asked = async (traceparent: string): Promise<void> => {
      await pod.api.request('GET', '/campaigns/c', undefined, { traceparent });
    };
    await asked(`00-${TRACE_ID}-${PARENT_ID}-00`);
    await asked(`00-${TRACE_ID}-${PARENT_ID}-01`);
    await asked('00-x-y-01');
    await until('two of them', () => collector.named('GET /campaigns/:id').length >= 2);
    const spans = collector.named('GET /campaigns/:id');
    expect(spans).toHaveLength(2);
    expect(spans.filter(({ traceId }) => traceId === TRACE_ID)).toMatchObject([{ parentSpanId: PARENT_ID }]);
  });

  it('hold no token, no query and no body', async () => {
    const secret = 'something-that-nobody-may-see';
    await pod.api.request('GET', `/audit?campaign_id=${secret}&limit=${secret}`);
    await pod.api.request('POST', '/login', { token: secret });
    await until('they are told', () => collector.named('POST /login').length > 0);
    const all = collector.bodies.join('\n');
    for (const hidden of [OPERATOR, KEY, secret]) {
      expect(all).not.toContain(hidden);
      expect(pod.output).not.toContain(hidden);
    }
  });

  it('that no collector takes cost a line in the log, and come again when one does', async () => {
    await collector.close();
    const change = (name: string) => pod.api.request('PATCH', '/campaigns/c', { name });
    await until('it is said', async () => {
      expect((await change('while the collector is away')).status).toBe(200);
      return pod.output.includes('traces cannot be exported');
    });
    for (let at = 0; at < 50; at++) await change(`change ${at}`);
    const lines = pod.output.split('\n').filter((line) => line.includes('traces cannot be exported'));
    expect(lines.length).toBeLessThanOrEqual(3); // one of each thread that traces
    expect(pod.output).not.toContain(KEY);
    const before = collector.spans.length;
    await collector.listen();
    await until('spans come again', async () => {
      await change('again');
      return collector.spans.length > before && pod.output.includes('traces are exported again');
    });
    expect(await pod.core.status('c')).toMatchObject({ total_spent_cents: 100 });
  });

  it('name the code of what failed, in a shard too', async () => {
    await redis.stop('SIGKILL');
    const failed = () => collector.named('flush to Redis').filter(({ isError }) => isError);
    await until('a flush fails', async () => {
      await pod.core.decide('c', 100);
      return failed().length > 0;
    });
    expect(new Set(failed().map(({ attributes }) => attributes['error.type']))).toEqual(
      new Set(['unavailable']),
    );
  });

  it('keep no pod from its end, nor does a collector that answers nobody', async () => {
    await pod.api.request('GET', '/campaigns');
    await collector.close();
    expect(await pod.stop()).toEqual({ code: 0, signal: null });
    expect(pod.output).not.toContain('stopping took too long');
  });
});
