/** A real Prometheus for a test: scrapes each second, has the repository's rules, and leaves nothing behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { killAtEnd } from './end-of-tests.ts';
import { freePorts } from './pod.ts';
import { HttpClient } from './pod-http.ts';
import { until } from './pod-wait.ts';
import { ROOT } from './repository.ts';
import { ensureTool } from './system-tool.ts';

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

export interface RuleState {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
  readonly state: string;
}

export class TestPrometheus {
  readonly #folder: string;
  readonly #server: ChildProcess;
  readonly #client: HttpClient;
  readonly #spareAtEnd: () => void;

  private constructor(folder: string, server: ChildProcess, client: HttpClient) {
    this.#folder = folder;
    this.#server = server;
    this.#client = client;
    this.#spareAtEnd = killAtEnd(() => this.#server.kill('SIGKILL'));
  }

  /** @param ports of the pods on this machine that it scrapes */
  static async start(ports: readonly number[]): Promise<TestPrometheus> {
    await ensureTool('prometheus', 'prometheus');
    const folder = await mkdtemp(join(tmpdir(), 'pacer-test-prometheus-'));
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: [join(ROOT, 'docker/prometheus/alerts.yml')],
      scrape_configs: [
        { job_name: 'pacer', static_configs: [{ targets: ports.map((port) => `127.0.0.1:${port}`) }] },
      ],
    };
    await writeFile(join(folder, 'prometheus.yml'), stringify(config));
    const [port] = await freePorts();
    const server = spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { cwd: folder, stdio: 'ignore' },
    );
    const prometheus = new TestPrometheus(folder, server, new HttpClient(port, 4));
    await until('Prometheus is ready', async () => {
      if (server.exitCode !== null) throw new Error('Prometheus did not start');
      return (await prometheus.#client.request('GET', '/-/ready').catch(() => null))?.status === 200;
    });
    return prometheus;
  }

  /** An instant query. @throws Error with what Prometheus says of a bad expression */
  async query(expression: string): Promise<readonly Sample[]> {
    const path = `/api/v1/query?query=${encodeURIComponent(expression)}`;
    const { status, body, text } = await this.#client.request<{ data: { result: Sample[] } }>('GET', path);
    if (status !== 200) throw new Error(`${expression}: ${text}`);
    return body.data.result;
  }

  async rules(): Promise<readonly RuleState[]> {
    const { body } = await this.#client.request<{ data: { groups: { rules: RuleState[] }[] } }>(
      'GET',
      '/api/v1/rules',
    );
    return body.data.groups.flatMap((group) => group.rules);
  }

  async remove(): Promise<void> {
    this.#client.close();
    this.#spareAtEnd();
    if (this.#server.exitCode === null) {
      const gone = once(this.#server, 'exit');
      this.#server.kill('SIGKILL');
      await gone;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
