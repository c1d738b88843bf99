/**
 * The configuration: read once by the main thread from the environment and `.env`, checked, frozen, and
 * handed to every thread as plain data.
 */
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { coresAvailable } from './cores.ts';
import type { Option } from './option.ts';
import { schema } from './schema.ts';
import { SOCKET_PATH_BYTES_MAX, socketPaths } from './socket-paths.ts';

type Schema = typeof schema;
type Parsed = { readonly [Key in keyof Schema]: Schema[Key] extends Option<infer Value> ? Value : never };

export type Config = Omit<Parsed, 'edgeThreads' | 'shards'> & {
  readonly edgeThreads: number;
  readonly shards: number;
};

/** A refused configuration; its message is the one line that the start prints. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The process environment over `.env` in `folder`, when there is one. */
export function environmentFrom(processEnvironment: Environment, folder: string): Environment {
  const file = resolve(folder, '.env');
  if (!existsSync(file)) return processEnvironment;
  return { ...parseEnv(readFileSync(file, 'utf8')), ...processEnvironment };
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** Whether an address that is listened on can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

function optionValue(option: Option<unknown>, environment: Environment): unknown {
  const given = environment[option.variable];
  const text = given ?? option.fallback;
  if (text === null) return null;
  const value = option.parse(text);
  if (value === undefined) throw new ConfigError(refusalOf(option, text));
  return value;
}

function refusalOf({ variable, accepted, whyNot }: Option<unknown>, text: string): string {
  if (whyNot !== undefined) return `${variable} is not accepted: ${whyNot(text)}; it takes ${accepted}`;
  return `${variable}=${JSON.stringify(withoutPassword(text))} is not accepted: it takes ${accepted}`;
}

/** A URL without what may be a secret: user, password and parameters. Other texts are left as they are. */
function withoutPassword(text: string): string {
  return text.replace(/^.*@/s, '…@').replace(/\?.*$/s, '?…');
}

function checkListening(config: Parsed): void {
  if (config.allowUnauthenticated) return;
  for (const [variable, host, credentials, known] of [
    ['HOST', config.host, 'EDGE_TOKEN', config.edgeToken !== null],
    ['API_HOST', config.apiHost, 'API_TOKENS', config.apiTokens.length > 0],
  ] as const) {
    if (known || isLoopback(host)) continue;
    throw new ConfigError(
      `${variable}=${JSON.stringify(host)} is not accepted: without ${credentials} it takes a loopback address, or set ALLOW_UNAUTHENTICATED=true`,
    );
  }
}

/** @throws ConfigError when the path of an edge's socket, which its number may make longer, is too long for the kernel */
function checkSocketPaths(given: string, edges: number): void {
  for (const path of socketPaths(given, edges)) {
    const bytes = Buffer.byteLength(path);
    if (bytes <= SOCKET_PATH_BYTES_MAX) continue;
    throw new ConfigError(
      `UNIX_SOCKET=${JSON.stringify(given)} is not accepted: it takes a path of at most ${SOCKET_PATH_BYTES_MAX} bytes, and ${JSON.stringify(path)} has ${bytes}`,
    );
  }
}

/** Whether budgets are shared through a Redis. */
export function isInFleet(config: Config): boolean {
  const { redisUrl, redisAddr, redisSentinels, redisClusterNodes } = config;
  return [redisUrl, redisAddr, redisSentinels, redisClusterNodes].some((given) => given !== null);
}

/** The host name, which in Kubernetes is the pod's, as a node id. */
function hostNodeId(): string {
  return (
    hostname()
      .replaceAll(/[^A-Za-z0-9._-]/g, '-')
      .slice(0, 64) || 'pod'
  );
}

/**
 * Reads and checks every option.
 * @param cores that the process may use
 * @throws ConfigError naming the variable, its value and what is accepted.
 */
export function readConfig(environment: Environment, cores = coresAvailable()): Config {
  const entries = Object.entries(schema).map(
    ([key, option]) => [key, optionValue(option, environment)] as const,
  );
  // The schema's keys and parsers make exactly the fields of Parsed; TypeScript cannot follow fromEntries.
  const parsed = Object.fromEntries(entries) as unknown as Parsed;
  if (parsed.port === parsed.apiPort) {
    throw new ConfigError(`API_PORT="${parsed.apiPort}" is not accepted: it takes a port other than PORT`);
  }
  checkListening(parsed);
  const edgeThreads =
    parsed.edgeThreads === 'auto' ? Math.max(1, Math.min(16, cores - 1)) : parsed.edgeThreads;
  const shards = parsed.shards === 'auto' ? Math.max(1, Math.round(edgeThreads / 4)) : parsed.shards;
  const nodeId = parsed.nodeId === 'auto' ? hostNodeId() : parsed.nodeId;
  const unixSocket = parsed.unixSocket === null ? null : resolve(parsed.unixSocket);
  if (unixSocket !== null) checkSocketPaths(unixSocket, edgeThreads);
  const dataDir = resolve(parsed.dataDir);
  return Object.freeze({ ...parsed, dataDir, unixSocket, nodeId, edgeThreads, shards });
}
