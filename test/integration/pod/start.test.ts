import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts, TestPod } from '../../support/pod.ts';
import { until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';

/** Variables that stop the start, with what the line must say besides the variable's name. */
const REFUSED: readonly (readonly [variable: string, value: string, says: string])[] = [
  ['PORT', '0', 'from 1 to 65535'],
  ['PORT', 'http', 'from 1 to 65535'],
  ['API_PORT', '65536', 'from 1 to 65535'],
  ['EDGE_THREADS', '0', 'auto or a whole number'],
  ['SHARDS', '-1', 'auto or a whole number'],
  ['RESERVATION_TTL_MS', '1e3', 'a whole number'],
  ['BREAKER_PROBES', '', 'a whole number'],
  ['LEDGER_SYNC', 'never', 'one of commit, interval'],
  ['LOG_LEVEL', 'loud', 'one of'],
  ['ALLOW_UNAUTHENTICATED', 'yes', 'true or false'],
  ['DATABASE_URL', 'mysql://x', 'postgres://'],
  ['HOST', 'a b', 'a host name or an IP address'],
  ['HOST', '0.0.0.0', 'ALLOW_UNAUTHENTICATED=true'],
  ['API_HOST', '::', 'ALLOW_UNAUTHENTICATED=true'],
  ['REDIS_URL', 'http://127.0.0.1', 'redis:// or rediss://'],
  ['REDIS_ADDR', '127.0.0.1:x', 'host:port'],
  ['REDIS_SENTINELS', 'a:1', 'REDIS_MASTER_NAME must name the master'],
  ['REDIS_CLUSTER_NODES', 'a:99999', 'host:port'],
  ['REDIS_FLUSH_MS', '0', 'from 10 to 10000'],
  ['DEGRADED_THROTTLE', '1.5', 'a number from 0 to 1'],
  ['NODE_ID', 'a b', 'A-Z a-z 0-9'],
  ['CORS_ORIGINS', 'https://a.example/', 'origins such as'],
  ['MAX_QPS', '-1', 'from 0 to 2000000'],
];

/** Secrets that stop the start, with what the line must say; it must not say the secret. */
const REFUSED_SECRETS: readonly (readonly [variable: string, value: string, says: string])[] = [
  ['API_TOKENS', 'Sesame', 'entry 1 is not name:role:token'],
  ['API_TOKENS', 'a:admin:Sesame', 'entry 1 has a role that is not one of viewer, operator'],
  ['API_TOKENS', 'a:viewer:', 'entry 1 has a token that is not'],
  ['API_TOKENS', 'a b:viewer:Sesame', 'entry 1 has a name that is not'],
  ['API_TOKENS', 'anonymous:viewer:Sesame', 'entry 1 has the name anonymous'],
  ['API_TOKENS', 'a:viewer:Sesame,a:operator:Sesame2', 'entries 1 and 2 have the same name'],
  ['API_TOKENS', 'a:viewer:x,b:viewer:Sesame,c:operator:Sesame', 'entries 2 and 3 have the same token'],
  ['API_TOKENS', 'a:viewer:Sesame,', 'entry 2 is not name:role:token'],
  ['EDGE_TOKEN', 'Sesame street', '1 to 256 visible ASCII characters'],
  ['EDGE_TOKEN', 'Sesame'.repeat(50), '1 to 256 visible ASCII characters'],
  ['DATABASE_URL', 'mysql://user:Sesame@db/x', 'postgres://'],
  ['REDIS_URL', 'http://:Sesame@x?password=Sesame', 'redis://'],
];

function listening(port: number): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer().listen(port, '127.0.0.1', () => resolve(server));
  });
}

/** Has a process say when it begins to listen to SIGTERM. */
const SAYS_WHEN_IT_HEARS = [
  '--import',
  'data:text/javascript,process.on("newListener",(name)=>name==="SIGTERM"&&console.log("hears"))',
];

describe('the start', () => {
  let pod: TestPod;

  beforeAll(async () => {
    pod = await TestPod.prepare();
  });
  afterAll(() => pod.remove());

  /** Starts a pod that must refuse, and returns the one line it writes. */
  async function refusal(env: Readonly<Record<string, string | number>>): Promise<string> {
    const [port, apiPort] = await freePorts();
    pod.spawn({
      PORT: port,
      API_PORT: apiPort,
      DATA_DIR: join(pod.folder, 'refused'),
      LOG_LEVEL: 'warn',
      ...env,
    });
    expect(await pod.exited).toEqual({ code: 1, signal: null });
    const lines = pod.output.trimEnd().split('\n');
    expect(lines, pod.output).toHaveLength(1);
    expect(lines[0]).not.toMatch(/ at .*:\d+:\d+/);
    return lines[0] ?? '';
  }

  it.each(REFUSED)('stops with one line at %s=%j', async (variable, value, says) => {
    const line = await refusal({ [variable]: value });
    expect(line).toContain(variable);
    expect(line).toContain(says);
    const named = variable !== 'REDIS_SENTINELS';
    if (named) expect(line).toContain(JSON.stringify(value));
    expect(existsSync(join(pod.folder, 'refused'))).toBe(false);
  });

  it.each(REFUSED_SECRETS)(
    'stops with one line at a wrong %s and does not repeat it',
    async (variable, value, says) => {
      const line = await refusal({ [variable]: value });
      expect(line).toContain(variable);
      expect(line).toContain(says);
      expect(line).not.toContain('Sesame');
    },
  );

  it('listens beyond loopback only on a port that asks for credentials', async () => {
    expect(await refusal({ HOST: '0.0.0.0', API_TOKENS: 'a:viewer:Sesame' })).toContain('EDGE_TOKEN');
    expect(await refusal({ API_HOST: '0.0.0.0', EDGE_TOKEN: 'Sesame' })).toContain('API_TOKENS');
  });

  it.each(['PORT', 'API_PORT'])('stops with one line when %s is in use', async (variable) => {
    const [port] = await freePorts();
    const server = await listening(port);
    const line = await refusal({ [variable]: port });
    expect(line).toContain(`${variable}=${port}`);
    expect(line).toContain('in use');
    await new Promise((resolve) => server.close(resolve));
  });

  it('stops with one line when both ports are the same', async () => {
    const [port] = await freePorts();
    expect(await refusal({ PORT: port, API_PORT: port })).toContain('API_PORT');
  });

  it('stops with one line when DATA_DIR is a file, or lies below one', async () => {
    const file = join(pod.folder, 'a-file');
    await writeFile(file, 'not a folder');
    for (const folder of [file, join(file, 'below')]) {
      const line = await refusal({ DATA_DIR: folder });
      expect(line).toContain(`DATA_DIR="${folder}"`);
    }
    expect(await readFile(file, 'utf8')).toBe('not a folder');
  });
});

describe('a started pod', () => {
  let postgres: TestPostgres;
  let pod: TestPod;

  beforeAll(async () => {
    postgres = await TestPostgres.start();
    pod = await TestPod.start({ env: { DATABASE_URL: postgres.url } });
    await pod.createCampaign({ id: 'known', daily_budget_cents: 1_000_000 });
  });
  afterAll(async () => {
    await pod.remove();
    await postgres.remove();
  });

  it('keeps a second one out of its DATA_DIR, and goes on', async () => {
    const second = await TestPod.prepare({ env: { DATABASE_URL: postgres.url, DATA_DIR: pod.dataDir } });
    await second.launch();
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.output.trimEnd().split('\n')).toHaveLength(1);
    expect(second.output).toContain(`DATA_DIR="${pod.dataDir}" cannot be used: process ${pod.pid}`);
    await second.remove();
    expect(await pod.core.spend({ campaign_id: 'known', spend_cents: 1 })).toBe('success');
  });

  it('keeps another one off its ports', async () => {
    const second = await TestPod.prepare();
    second.spawn({ PORT: pod.port, API_PORT: pod.apiPort, DATA_DIR: second.dataDir });
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.output).toContain(`PORT=${pod.port} cannot be listened on`);
    await second.remove();
  });

  it('serves bidders and refuses changes with 503 while Postgres is away, and recovers by itself', async () => {
    await postgres.stop();
    expect((await pod.core.decide('known', 1)).allow_bid).toBe(true);
    expect(await pod.core.spend({ campaign_id: 'known', spend_cents: 1 })).toBe('success');
    const change = await pod.api.request('PATCH', '/campaigns/known', { name: 'new' });
    expect(change).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
    expect(change.headers['retry-after']).toBeDefined();
    const health = () => pod.core.request<{ status: string }>('GET', '/health');
    await until('it says that it is degraded', async () => (await health()).body.status === 'degraded');
    expect((await health()).status).toBe(200);
    expect((await pod.core.request('GET', '/health/ready')).status).toBe(200);
    await postgres.resume();
    await until('changes are taken', async () => {
      const reply = await pod.api.request('PATCH', '/campaigns/known', { name: 'new' });
      return reply.status === 200;
    });
    await until('it is healthy', async () => (await health()).body.status === 'healthy');
  });

  it('serves bidders from its ledger when Postgres is down at the start, and recovers by itself', async () => {
    const before = (await pod.core.status('known')).daily_spent_cents;
    await pod.stop();
    await postgres.stop();
    await pod.launch();
    await until(
      'bids are decided',
      async () => (await pod.core.decide('known', 1).catch(() => null))?.allow_bid,
    );
    expect(await pod.core.spend({ campaign_id: 'known', spend_cents: 2 })).toBe('success');
    expect((await pod.core.status('known')).daily_spent_cents).toBe(before + 2);
    await postgres.resume();
    await pod.ready();
    expect((await pod.patchCampaign('known', { name: 'newer' })).status).toBe(200);
    expect((await pod.core.status('known')).daily_spent_cents).toBe(before + 2);
  });

  it('reads .env in its working folder, and the environment wins', async () => {
    await pod.stop();
    const [port, apiPort] = await freePorts();
    const file = join(pod.folder, '.env');
    await writeFile(
      file,
      `PORT=${port}\nAPI_PORT="${apiPort}"\n# a comment\nRESERVATION_TTL_MS=not-a-number\n`,
    );
    pod.spawn({ DATA_DIR: pod.dataDir, DATABASE_URL: postgres.url });
    expect(await pod.exited).toEqual({ code: 1, signal: null });
    expect(pod.output).toContain('RESERVATION_TTL_MS="not-a-number"');
    pod.spawn({ DATA_DIR: pod.dataDir, DATABASE_URL: postgres.url, RESERVATION_TTL_MS: 5000 });
    await until('it listens where .env says', async () => {
      const reply = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => null);
      return reply?.status === 200;
    });
    expect((await fetch(`http://127.0.0.1:${apiPort}/campaigns/known`)).status).toBe(200);
    expect(await pod.stop()).toEqual({ code: 0, signal: null });
    expect(existsSync(join(pod.dataDir, 'pacer.lock'))).toBe(false);
  });
});

describe('a pod that is told to stop while it starts', () => {
  it('ends with 0 also before it has begun to start threads', async () => {
    const pod = await TestPod.prepare({ nodeArguments: SAYS_WHEN_IT_HEARS });
    const [port, apiPort] = await freePorts();
    // It waits for a process that holds its folder: this one.
    const stat = await readFile('/proc/self/stat', 'utf8');
    const startedAt = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    await mkdir(pod.dataDir);
    await writeFile(join(pod.dataDir, 'pacer.lock'), `${process.pid} ${startedAt}\n`);
    pod.spawn({ PORT: port, API_PORT: apiPort, DATA_DIR: pod.dataDir });
    await until('it hears the signal', () => pod.output.includes('hears'));
    expect(await pod.stop()).toEqual({ code: 0, signal: null });
    await pod.remove();
  });

  it('ends by itself, and the next start works', async () => {
    const pod = await TestPod.prepare();
    for (const waitFor of ['"msg":"starting"', 'opening the campaign database']) {
      await pod.launch();
      await until('it has begun', () => pod.output.includes(waitFor));
      const { code, signal } = await pod.stop();
      expect(code === 0 || signal === 'SIGKILL', pod.output).toBe(true);
    }
    await pod.restart();
    await pod.createCampaign({ id: 'first', daily_budget_cents: 100 });
    expect((await pod.core.decide('first', 1)).allow_bid).toBe(true);
    await pod.remove();
    expect(existsSync(pod.folder)).toBe(false);
  });
});
