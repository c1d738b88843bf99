/**
 * Where Redis is, as plain data: one server, a master behind Sentinels, or a cluster. Read from the
 * configuration's variables by pure functions. A login's password appears in no message and no description.
 */
import type { Config } from '../../config/config.ts';
import { AppError } from '../../domain/app-error.ts';

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** How to speak to every server of a target. */
export interface RedisLogin {
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  readonly tls: boolean;
}

export type RedisTarget =
  | { readonly kind: 'single'; readonly node: RedisNode; readonly login: RedisLogin }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly RedisNode[];
      readonly masterName: string;
      readonly login: RedisLogin;
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly RedisNode[]; readonly login: RedisLogin };

/** The variables' texts; null or '' = not set. */
export interface RedisVariables {
  readonly url: string | null;
  readonly addr: string | null;
  readonly sentinels: string | null;
  readonly masterName: string | null;
  readonly clusterNodes: string | null;
}

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26379;
const DATABASE_MAX = 1_000_000;
const NO_LOGIN: RedisLogin = { username: null, password: null, database: 0, tls: false };
const URL_ACCEPTED = 'must be redis://[user:password@]host[:port][/database], or rediss:// for TLS';
const NODES_ACCEPTED = 'must be host:port, several separated by commas';

/** Where the configured Redis is, or null when there is none. @throws AppError that names the variable */
export function redisTargetOf(config: Config): RedisTarget | null {
  return parseRedisTarget({
    url: config.redisUrl,
    addr: config.redisAddr,
    sentinels: config.redisSentinels,
    masterName: config.redisMasterName,
    clusterNodes: config.redisClusterNodes,
  });
}

/**
 * The target that the variables name, or null when none is set. With Sentinels or a cluster, REDIS_URL gives
 * user, password, database and TLS of the data servers, and its host is not used.
 * @throws AppError `invalid_request` whose field is the variable and whose message says what is accepted
 */
export function parseRedisTarget(variables: RedisVariables): RedisTarget | null {
  const { url, addr, sentinels, masterName, clusterNodes } = variables;
  refuseTogether('REDIS_SENTINELS', sentinels, 'REDIS_CLUSTER_NODES', clusterNodes);
  refuseTogether('REDIS_ADDR', addr, 'REDIS_URL', url);
  refuseTogether('REDIS_ADDR', addr, 'REDIS_SENTINELS', sentinels);
  refuseTogether('REDIS_ADDR', addr, 'REDIS_CLUSTER_NODES', clusterNodes);
  const { node, login } = url ? parseUrl(url) : { node: null, login: NO_LOGIN };
  if (sentinels) {
    if (!masterName) throw refusal('REDIS_MASTER_NAME', 'must name the master when REDIS_SENTINELS is set');
    return {
      kind: 'sentinel',
      sentinels: parseNodes('REDIS_SENTINELS', sentinels, SENTINEL_PORT),
      masterName,
      login,
    };
  }
  if (masterName)
    throw refusal('REDIS_SENTINELS', 'must list host:port of the Sentinels of REDIS_MASTER_NAME');
  if (clusterNodes) {
    if (login.database !== 0)
      throw refusal('REDIS_URL', 'must name no database: a cluster has only database 0');
    return { kind: 'cluster', nodes: parseNodes('REDIS_CLUSTER_NODES', clusterNodes, REDIS_PORT), login };
  }
  if (node !== null) return { kind: 'single', node, login };
  if (!addr) return null;
  const [first, second] = parseNodes('REDIS_ADDR', addr, REDIS_PORT);
  if (first === undefined || second !== undefined) throw refusal('REDIS_ADDR', 'must be one host:port');
  return { kind: 'single', node: first, login };
}

/** Where a target points, for logs: hosts and ports, never a user or a password. */
export function describeTarget(target: RedisTarget): string {
  const scheme = target.login.tls ? 'rediss' : 'redis';
  if (target.kind === 'single') return `${scheme}://${describeNode(target.node)}`;
  if (target.kind === 'cluster') return `${scheme} cluster ${target.nodes.map(describeNode).join(',')}`;
  return `${scheme} master ${target.masterName} behind ${target.sentinels.map(describeNode).join(',')}`;
}

function describeNode({ host, port }: RedisNode): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseUrl(text: string): { node: RedisNode; login: RedisLogin } {
  if (!URL.canParse(text)) throw refusal('REDIS_URL', URL_ACCEPTED);
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text);
  const tls = protocol === 'rediss:';
  const database = /^\/?$/.test(pathname) ? 0 : Number(/^\/(\d{1,7})$/.exec(pathname)?.[1] ?? Number.NaN);
  const known = (tls || protocol === 'redis:') && hostname !== '' && search === '' && hash === '';
  if (!known || !(database <= DATABASE_MAX) || port === '0') throw refusal('REDIS_URL', URL_ACCEPTED);
  const login = { username: decoded(username), password: decoded(password), database, tls };
  return { node: { host: bare(hostname), port: port === '' ? REDIS_PORT : Number(port) }, login };
}

function parseNodes(field: string, text: string, defaultPort: number): RedisNode[] {
  return text.split(',').map((entry) => {
    const match = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(entry.trim());
    const port = Number(match?.[2] ?? defaultPort);
    if (match?.[1] === undefined || port < 1 || port > 65_535) throw refusal(field, NODES_ACCEPTED);
    return { host: bare(match[1]), port };
  });
}

/** An IPv6 address without its brackets. */
function bare(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

function decoded(part: string): string | null {
  if (part === '') return null;
  try {
    return decodeURIComponent(part);
  } catch {
    // The cause is left out on purpose: it would carry the password.
    throw refusal('REDIS_URL', 'must have its user and password percent-encoded');
  }
}

function refuseTogether(field: string, text: string | null, otherField: string, other: string | null): void {
  if (text && other) throw refusal(field, `must not be set together with ${otherField}`);
}

function refusal(field: string, rule: string): AppError {
  return new AppError('invalid_request', `${field} ${rule}`, field);
}
