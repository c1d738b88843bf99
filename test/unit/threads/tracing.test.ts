import { createRequire } from 'node:module';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../../src/config/config.ts';
import { openTracing, traced } from '../../../src/threads/tracing.ts';

const loaded = (): string[] =>
  Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('@opentelemetry'));
const log = pino({ level: 'silent' });

it('loads nothing of OpenTelemetry until a collector is configured', async () => {
  expect(await openTracing(readConfig({}), 'management', log)).toBeNull();
  expect(loaded()).toEqual([]);
  const config = readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
  const tracing = await openTracing(config, 'management', log);
  expect(loaded().length).toBeGreaterThan(0);
  await tracing?.close();
});

it('runs work as it is where nothing is traced', async () => {
  expect(await traced(null, 'x', {}, async () => 7)).toBe(7);
});

it('reads the headers of the collector, and shows none of them when they are wrong', () => {
  const headersOf = (text: string) => readConfig({ OTEL_EXPORTER_OTLP_HEADERS: text }).otlpHeaders;
  expect(headersOf('')).toEqual({});
  expect(headersOf('api-key=a%20b, X-Team = pacing=1')).toEqual({ 'api-key': 'a b', 'x-team': 'pacing=1' });
  for (const wrong of [
    'secret-value',
    'a=b,',
    'a b=secret-value',
    'a=%0d%0asecret-value',
    'a=%zzsecret-value',
  ]) {
    expect(() => headersOf(wrong), wrong).toThrow(ConfigError);
    expect(() => headersOf(wrong), wrong).not.toThrow(/secret-value/);
  }
});
