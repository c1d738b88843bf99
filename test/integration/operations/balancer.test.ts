import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readText } from '../../support/deployment-files.ts';
import { TestDns } from '../../support/dns-server.ts';
import { pacer } from '../../support/pacer-command.ts';
import { freePorts } from '../../support/pod.ts';
import { HttpClient } from '../../support/pod-http.ts';
import { calmZone, until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';
import { TestRedis } from '../../support/redis.ts';
import { ROOT } from '../../support/repository.ts';
import { ensureTool } from '../../support/system-tool.ts';

const run = promisify(execFile);
const START_DEADLINE_MS = 90_000;

/** What docker-compose.yml starts, with processes in place of containers and loopback addresses in place of theirs. */
describe('replicas behind the load balancer', () => {
  let folder: string;
  let redis: TestRedis;
  let postgres: TestPostgres;
  let dns: TestDns;
  let ports: { core: number; api: number; podCore: number; podApi: number; figures: number };
  const running: ChildProcess[] = [];

  beforeAll(async () => {
    await ensureTool('haproxy', 'haproxy');
    folder = await mkdtemp(join(tmpdir(), 'pacer-test-balancer-'));
    [redis, postgres, dns] = await Promise.all([TestRedis.start(), TestPostgres.start(), TestDns.start()]);
    const [[core, api], [podCore, podApi], [figures]] = await Promise.all([
      freePorts(),
      freePorts(),
      freePorts(),
    ]);
    ports = { core, api, podCore, podApi, figures };
    await redis.aged();
  }, 400_000);
  afterAll(async () => {
    await Promise.all(running.map(end));
    dns?.close();
    await Promise.all([redis?.remove(), postgres?.remove()]);
    await rm(folder, { recursive: true, force: true });
  });

  async function end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  function startPod(address: string): ChildProcess {
    const env = {
      PATH: process.env.PATH ?? '',
      DATA_DIR: folder,
      HOST: address,
      API_HOST: address,
      PORT: String(ports.podCore),
      API_PORT: String(ports.podApi),
      EDGE_THREADS: '1',
      SHARDS: '1',
      REDIS_URL: `redis://127.0.0.1:${redis.port}`,
      DATABASE_URL: postgres.url,
    };
    const pod = spawn('/bin/sh', [join(ROOT, 'docker/own-folder.sh')], { cwd: folder, env, stdio: 'ignore' });
    running.push(pod);
    return pod;
  }

  /** The balancer of the repository, on other ports. */
  async function startBalancer(): Promise<void> {
    const file = join(folder, 'haproxy.cfg');
    const text = readText('docker/haproxy/haproxy.cfg')
      .replace('bind :8080', `bind 127.0.0.1:${ports.core}`)
      .replace('bind :8000', `bind 127.0.0.1:${ports.api}`)
      .replace('bind :8404', `bind 127.0.0.1:${ports.figures}`)
      .replace('}":8080', `}":${ports.podCore}`)
      .replace('}":8000', `}":${ports.podApi}`);
    await writeFile(file, text);
    const env = { PATH: process.env.PATH ?? '', PACER: 'pacer', RESOLVER: `127.0.0.1:${dns.port}` };
    await run('haproxy', ['-c', '-f', file], { env });
    running.push(spawn('haproxy', ['-db', '-f', file], { env, stdio: 'ignore' }));
  }

  /** The balancer takes a server that it has just found for one that is up, until a check says otherwise. */
  async function ready(address: string): Promise<void> {
    await until(
      `the pod at ${address} is ready`,
      async () => {
        const reply = await fetch(`http://${address}:${ports.podCore}/health/ready`).catch(() => null);
        await reply?.body?.cancel();
        return reply?.status === 200;
      },
      START_DEADLINE_MS,
    );
  }

  async function podsReady(count: number, addresses: readonly string[] = dns.addresses): Promise<void> {
    for (const address of addresses) await ready(address);
    const figures = new HttpClient(ports.figures, 1);
    await until(
      `${count} pods are ready`,
      async () => {
        const { text } = await figures.request('GET', '/metrics').catch(() => ({ text: '' }));
        const [, up] = /^haproxy_backend_active_servers\{proxy="core_pods"\} (\d+)/m.exec(text) ?? [];
        return Number(up) === count;
      },
      START_DEADLINE_MS,
    ).finally(() => figures.close());
  }

  it('are found by DNS as they come, and validate as one system', async () => {
    const first = startPod('127.0.0.2');
    // The two make the database's tables one after the other.
    dns.addresses = ['127.0.0.2'];
    await startBalancer();
    await podsReady(1);
    expect(first.exitCode).toBeNull();
    startPod('127.0.0.3');
    dns.addresses = ['127.0.0.2', '127.0.0.3'];
    await podsReady(2);
    const { text } = await pacer(['validate', '--json'], { PORT: ports.core, API_PORT: ports.api });
    const { checks } = JSON.parse(text) as { checks: { check: string; outcome: string; note: string }[] };
    expect(checks.filter(({ check, outcome }) => check !== 'latency' && outcome !== 'passed')).toEqual([]);
  }, 180_000);

  it('keep a browser with its pod', async () => {
    const client = new HttpClient(ports.api, 1);
    const { headers } = await client.request('GET', '/campaigns');
    client.close();
    expect(headers['set-cookie']?.[0]).toMatch(/^POD=\S+; path=\/; HttpOnly; SameSite=Strict$/);
  });

  it('answer on when one of them is killed, and count no cent less', async () => {
    const [api, core] = [new HttpClient(ports.api, 1), new HttpClient(ports.core, 1)];
    const campaign = { id: 'kept', name: 'kept', daily_budget_cents: 100_000, timezone: calmZone() };
    expect((await api.request('POST', '/campaigns', campaign)).status).toBe(201);
    const sent = { count: 0 };
    const spend = async (): Promise<boolean> => {
      const event = { campaign_id: 'kept', spend_cents: 1, event_id: `kept-${sent.count}` };
      const reply = await core.request<{ status: string }>('POST', '/spend/track', event).catch(() => null);
      // What was not answered is sent again, as a bidder does.
      if (reply?.status !== 200) return false;
      sent.count++;
      return true;
    };
    await until('both pods know the campaign', async () => {
      for (let turn = 0; turn < 20; turn++) if (!(await spend())) return false;
      return true;
    });
    const [doomed] = running;
    if (doomed === undefined) throw new Error('no pod runs');
    await end(doomed);
    const before = sent.count;
    await until('spends are answered again', async () => {
      await spend();
      return sent.count > before + 50;
    });
    await podsReady(1, ['127.0.0.3']);
    // The killed pod comes back on its folder, and with it what it had told nobody yet.
    startPod('127.0.0.2');
    await podsReady(2);
    await until('every cent is counted', async () => {
      const { body } = await core.request<{ total_spent_cents: number; daily_spent_cents: number }>(
        'GET',
        '/budget/status/kept',
      );
      return body.daily_spent_cents === sent.count;
    });
    api.close();
    core.close();
  }, 120_000);
});
