import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError, environmentFrom, readConfig } from '../../../src/config/config.ts';
import { helpText } from '../../../src/config/help.ts';
import { schema } from '../../../src/config/schema.ts';

describe('the configuration', () => {
  test('has a default for everything', () => {
    const config = readConfig({});
    expect(config).toMatchObject({ host: '127.0.0.1', port: 8080, apiPort: 8000, ledgerSync: 'commit' });
    expect(config.databaseUrl).toBeNull();
    expect(config.edgeThreads).toBeGreaterThanOrEqual(1);
    expect(config.shards).toBeGreaterThanOrEqual(1);
  });

  test.each([
    ['PORT', '0'],
    ['PORT', '65536'],
    ['PORT', '80.5'],
    ['PORT', ''],
    ['API_HOST', 'two words'],
    ['EDGE_THREADS', 'many'],
    ['SHARDS', '-1'],
    ['LEDGER_SYNC', 'sometimes'],
    ['LOG_LEVEL', 'loud'],
    ['RESERVATION_TTL_MS', '12s'],
    ['DATABASE_URL', 'mysql://localhost'],
    ['ALLOW_UNAUTHENTICATED', 'yes'],
  ])('refuses %s=%j in one line that names it, its value and what is accepted', (variable, value) => {
    let message = '';
    try {
      readConfig({ [variable]: value });
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      message = error instanceof Error ? error.message : '';
    }
    expect(message).toContain(`${variable}=${JSON.stringify(value)}`);
    expect(message).toMatch(/it takes .+/);
    expect(message).not.toContain('\n');
  });

  test('listens beyond loopback only when told that nobody is asked for credentials', () => {
    expect(() => readConfig({ HOST: '0.0.0.0' })).toThrow(/HOST="0.0.0.0".*loopback/);
    expect(() => readConfig({ API_HOST: '10.1.2.3' })).toThrow(/API_HOST/);
    for (const host of ['127.0.0.1', '127.8.8.8', 'localhost', '::1'])
      expect(readConfig({ HOST: host }).host).toBe(host);
    expect(readConfig({ HOST: '0.0.0.0', ALLOW_UNAUTHENTICATED: 'true' }).host).toBe('0.0.0.0');
    expect(readConfig({ HOST: '0.0.0.0', EDGE_TOKEN: 'secret' }).host).toBe('0.0.0.0');
    expect(readConfig({ API_HOST: '::', API_TOKENS: 'a:viewer:secret' }).apiHost).toBe('::');
    expect(() => readConfig({ HOST: '0.0.0.0', API_TOKENS: 'a:viewer:secret' })).toThrow(/EDGE_TOKEN/);
    expect(() => readConfig({ API_HOST: '::', EDGE_TOKEN: 'secret' })).toThrow(/API_TOKENS/);
  });

  test('keeps of an API token its name, its role and a digest, never the token', () => {
    const config = readConfig({ API_TOKENS: 'ada:operator:correct:horse, bob:viewer:battery-staple-16' });
    expect(config.apiTokens).toMatchObject([
      { name: 'ada', role: 'operator', isShort: true },
      { name: 'bob', role: 'viewer', isShort: false },
    ]);
    expect(JSON.stringify(config)).not.toMatch(/correct|horse|battery/);
    expect(readConfig({ API_TOKENS: '', EDGE_TOKEN: '', CORS_ORIGINS: '' })).toMatchObject({
      apiTokens: [],
      edgeToken: null,
      corsOrigins: [],
    });
  });

  test('takes origins without a path, and no star', () => {
    const given = 'https://a.example, http://b.example:8443';
    expect(readConfig({ CORS_ORIGINS: given }).corsOrigins).toEqual([
      'https://a.example',
      'http://b.example:8443',
    ]);
    for (const wrong of ['*', 'a.example', 'https://a.example/', 'https://A.example', 'ftp://a', ',']) {
      expect(() => readConfig({ CORS_ORIGINS: wrong }), wrong).toThrow(/CORS_ORIGINS/);
    }
  });

  test('takes a webhook for alerts, and repeats nothing of one that it refuses', () => {
    const url = 'https://user:pass@hooks.example/secret?key=secret';
    const secret = 'sixteen-or-more-characters';
    const config = readConfig({ ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: secret });
    expect(config).toMatchObject({ alertWebhookUrl: url, alertWebhookSecret: secret });
    expect(readConfig({ ALERT_WEBHOOK_URL: '' }).alertWebhookUrl).toBeNull();
    for (const wrong of ['ftp://secret', 'secret.example', 'https://', 'https://secret two']) {
      expect(() => readConfig({ ALERT_WEBHOOK_URL: wrong }), wrong).toThrow(
        /^ALERT_WEBHOOK_URL (?!.*secret)/,
      );
    }
    expect(() => readConfig({ ALERT_WEBHOOK_SECRET: 'short' })).toThrow(
      /^ALERT_WEBHOOK_SECRET (?!.*"short")/,
    );
  });

  test.each([
    [1, 1, 1],
    [2, 1, 1],
    [4, 3, 1],
    [64, 16, 4],
  ])('starts, of %i cores, %i edges and %i shards', (cores, edgeThreads, shards) => {
    expect(readConfig({}, cores)).toMatchObject({ edgeThreads, shards });
  });

  test('refuses one port for both services', () => {
    expect(() => readConfig({ PORT: '9000', API_PORT: '9000' })).toThrow(/API_PORT/);
  });

  test('is read from .env, and the environment wins over it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pacer-env-'));
    try {
      writeFileSync(join(folder, '.env'), 'PORT=9001\nAPI_PORT=9002\n');
      const config = readConfig(environmentFrom({ PORT: '9003' }, folder));
      expect([config.port, config.apiPort]).toEqual([9003, 9002]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test('--help sets each command apart from what it does', () => {
  const [, commands = ''] = helpText('1.2.3').split('\nCommands\n');
  const [block = ''] = commands.split('\n\n');
  const lines = block.split('\n');
  expect(lines.length).toBeGreaterThan(8);
  // What a command does begins in the same column for all, below a command that is too long to stand beside it.
  for (const [at, line] of lines.entries()) {
    const isAlone = /^ {44}\S/.test(lines[at + 1] ?? '');
    if (!isAlone) expect(line).toMatch(/^.{42} {2}\S/);
  }
});

test('--help names every variable with its default', () => {
  const help = helpText('1.2.3');
  for (const { variable, fallback } of Object.values(schema)) {
    expect(help).toContain(variable);
    if (fallback !== null) expect(help).toContain(`default ${fallback}`);
  }
});
