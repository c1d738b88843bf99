/**
 * The demo: a pod on loopback with a folder of its own, sample campaigns and a simulated bidder. It keeps away from
 * everything that could be real: another database, a Redis, other machines.
 */
import { Worker } from 'node:worker_threads';
import { type Config, ConfigError, type Environment } from '../config/config.ts';
import type { BidderStart } from './bidder-thread.ts';

const DATA_DIR = './data/demo';
/** What a demo does not run with: it has no credentials to send and must not touch what is shared. */
const NOT_WITH = [
  'API_TOKENS',
  'EDGE_TOKEN',
  'DATABASE_URL',
  'REDIS_URL',
  'REDIS_ADDR',
  'REDIS_SENTINELS',
  'REDIS_CLUSTER_NODES',
] as const;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/**
 * The environment of a demo.
 * @throws ConfigError naming a variable that a demo does not run with
 */
export function demoEnvironment(environment: Environment): Environment {
  for (const variable of NOT_WITH) {
    const value = environment[variable] ?? '';
    if (value !== '') throw new ConfigError(`${variable} is not accepted with --demo: a demo stands alone`);
  }
  for (const variable of ['HOST', 'API_HOST'] as const) {
    const host = environment[variable] ?? '127.0.0.1';
    if (!LOOPBACK.test(host)) {
      throw new ConfigError(
        `${variable}=${JSON.stringify(host)} is not accepted with --demo: it takes a loopback address`,
      );
    }
  }
  return { ...environment, DATA_DIR: environment.DATA_DIR ?? DATA_DIR };
}

/** Starts the bidder beside the pod. */
export function startBidder({ host, port, apiHost, apiPort }: Config): Worker {
  const start: BidderStart = { core: urlOf(host, port), api: urlOf(apiHost, apiPort) };
  return new Worker(new URL('./bidder-thread.js', import.meta.url), { name: 'demo', workerData: start });
}

function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
