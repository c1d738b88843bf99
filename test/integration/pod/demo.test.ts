import { afterEach, describe, expect, test } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import { until } from '../../support/pod-wait.ts';

let pod: TestPod | null = null;

afterEach(async () => {
  await pod?.remove();
  pod = null;
});

describe('a demo', () => {
  test('bids for its sample campaigns on its own, says so on its page, and stops in order', async () => {
    pod = await TestPod.start({ arguments: ['--demo'] });
    const demo = pod;
    const { text, headers } = await demo.api.request('GET', '/');
    expect(headers['content-type']).toContain('text/html');
    expect(text).toContain('&quot;demo&quot;:true');
    await until('all samples spend', async () => {
      const { body } = await demo.api.request<{ id: string }[]>('GET', '/campaigns');
      const statuses = await Promise.all(body.map(({ id }) => demo.core.status(id)));
      return statuses.length === 3 && statuses.every((status) => status.daily_spent_cents > 0);
    });
    expect(await demo.stop()).toEqual({ code: 0, signal: null });
  });

  test('has four weeks on record, and has learned from them, as soon as it is there', async () => {
    pod = await TestPod.start({ entry: 'cli/pacer.js', arguments: ['demo'] });
    const demo = pod;
    const rows = async (id: string) =>
      (await demo.api.request<{ date: string; actual_spend_cents: number }[]>('GET', `/performance/${id}`))
        .body;
    for (const id of ['demo-spring-sale', 'demo-weekend-stream', 'demo-flash-offer']) {
      const hours = await rows(id);
      expect(new Set(hours.map(({ date }) => date)).size, id).toBeGreaterThanOrEqual(27);
      const { body } = await demo.api.request<{ created_at: string }>('GET', `/campaigns/${id}`);
      expect(Date.now() - Date.parse(body.created_at)).toBeGreaterThan(27 * 86_400_000);
    }
    await until('a shape is learned', async () => {
      const { body } = await demo.api.request<{ source: string; backtest: object | null }>(
        'GET',
        '/pacing/shape/demo-spring-sale',
      );
      return body.source === 'learned' && body.backtest !== null;
    });
    const spring = '/budget/status/demo-spring-sale';
    const { local_day: today } = (await demo.api.request<{ local_day: string }>('GET', spring)).body;
    const recorded = (await rows('demo-spring-sale'))
      .filter(({ date }) => date === today)
      .reduce((sum, { actual_spend_cents }) => sum + actual_spend_cents, 0);
    expect((await demo.core.status('demo-spring-sale')).daily_spent_cents).toBeGreaterThanOrEqual(
      recorded - 1,
    );
    const before = (await rows('demo-weekend-stream')).slice(0, 24);
    await demo.stop();
    await demo.restart();
    expect((await rows('demo-weekend-stream')).slice(0, 24)).toEqual(before);
  });

  test('does not start beside what could be real', async () => {
    pod = await TestPod.prepare({ arguments: ['--demo'] });
    pod.spawn({ DATABASE_URL: 'postgres://user:secret@db/pacer' });
    expect((await pod.exited).code).toBe(1);
    expect(pod.output).toContain('DATABASE_URL is not accepted with --demo');
    expect(pod.output).not.toContain('secret');
  });
});

describe('the dashboard’s files', () => {
  test('are kept by browsers for good, compressed, and the page itself is not', async () => {
    pod = await TestPod.start();
    const page = await pod.api.request('GET', '/');
    expect(page.headers['cache-control']).toBe('no-store');
    expect(page.headers['content-security-policy']).not.toContain('unsafe');
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(page.text)?.[1] ?? '';
    const plain = await pod.api.request('GET', script);
    expect(plain.status).toBe(200);
    expect(plain.headers['cache-control']).toContain('immutable');
    expect(plain.headers['content-encoding']).toBeUndefined();
    const packed = await pod.api.request('GET', script, undefined, { 'accept-encoding': 'gzip' });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(Number(packed.headers['content-length'])).toBeLessThan(Buffer.byteLength(plain.text) / 2);
  });
});
