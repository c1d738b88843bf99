/**
 * The composition root of a pod: configuration, the checks before anything starts, the pod, and its end.
 * SIGTERM or SIGINT ends it in order, also while it starts; a second signal, or an order that takes too long, ends it at
 * once by SIGKILL to itself: `process.exit()` under open uWebSockets.js apps aborts, and the ledger is made for it.
 */
import { parseArgs } from 'node:util';
import { TOKEN_LENGTH_SAFE } from './config/api-tokens.ts';
import { type Config, ConfigError, environmentFrom, readConfig } from './config/config.ts';
import { socketPaths } from './config/socket-paths.ts';
import { version } from './config/version.ts';
import { demoEnvironment, startBidder } from './demo/demo.ts';
import { AppError } from './domain/app-error.ts';
import { redisTargetOf } from './sinks/redis/redis-target.ts';
import { lockDataDir } from './supervisor/data-dir-lock.ts';
import { Pod } from './supervisor/pod.ts';
import { checkListenable } from './supervisor/port-check.ts';
import { settleProcessLimits } from './supervisor/process-limits.ts';
import { checkSocketListenable } from './supervisor/socket-check.ts';
import { createLog, type Log } from './threads/log.ts';

const STOP_DEADLINE_MS = 9_000;

function dieAtOnce(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable: SIGKILL was sent to this process');
}

function serve(pod: Pod, log: Log, unlock: () => void): (exitCode: number) => void {
  let stopping = false;
  return (exitCode) => {
    if (stopping) dieAtOnce();
    stopping = true;
    log.info('stopping');
    const deadline = setTimeout(() => {
      log.error({ deadlineMs: STOP_DEADLINE_MS }, 'stopping took too long');
      dieAtOnce();
    }, STOP_DEADLINE_MS);
    pod.stop().then(
      () => {
        clearTimeout(deadline);
        unlock();
        log.info('stopped');
        process.exitCode = exitCode;
      },
      (error: unknown) => {
        log.fatal({ err: error }, 'stopping failed');
        dieAtOnce();
      },
    );
  };
}

/** @throws ConfigError naming the variable that no Redis can be reached by; a URL may hold a password, so not its value */
function checkRedis(config: Config): void {
  try {
    redisTargetOf(config);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { redisAddr, redisSentinels, redisMasterName, redisClusterNodes } = config;
    const values: Readonly<Record<string, string | null>> = {
      REDIS_ADDR: redisAddr,
      REDIS_SENTINELS: redisSentinels,
      REDIS_MASTER_NAME: redisMasterName,
      REDIS_CLUSTER_NODES: redisClusterNodes,
    };
    const value = values[error.field ?? ''] ?? null;
    const given = value === null ? 'the value' : JSON.stringify(value);
    throw new ConfigError(`${error.message}; ${given} is not accepted`);
  }
}

function warnOfShortTokens({ apiTokens, edgeToken }: Config, log: Log): void {
  const text = `a token of fewer than ${TOKEN_LENGTH_SAFE} characters can be guessed`;
  for (const { name, isShort } of apiTokens) if (isShort) log.warn({ variable: 'API_TOKENS', name }, text);
  if (edgeToken !== null && edgeToken.length < TOKEN_LENGTH_SAFE) log.warn({ variable: 'EDGE_TOKEN' }, text);
}

/** Whether the command line asks for the demo: `demo` or `--demo`. @throws Error naming a word that is not known */
function isDemoAsked([first = '', ...rest]: readonly string[]): boolean {
  const options = { demo: { type: 'boolean', default: first === 'demo' } } as const;
  const words = ['start', 'demo', ''].includes(first) ? rest : [first, ...rest];
  return parseArgs({ args: words, options }).values.demo;
}

async function main(): Promise<void> {
  let unlock = (): void => undefined;
  let stop = (exitCode: number): void => {
    unlock(); // there is no pod yet, and so nothing else to end
    process.exit(exitCode);
  };
  process.on('SIGTERM', () => stop(0));
  process.on('SIGINT', () => stop(0));
  const isDemo = isDemoAsked(process.argv.slice(2));
  const environment = environmentFrom(process.env, process.cwd());
  const config = readConfig(isDemo ? demoEnvironment(environment) : environment);
  checkRedis(config);
  await checkListenable('PORT', config.host, config.port);
  await checkListenable('API_PORT', config.apiHost, config.apiPort);
  if (config.unixSocket !== null) {
    for (const path of socketPaths(config.unixSocket, config.edgeThreads)) await checkSocketListenable(path);
  }
  unlock = await lockDataDir(config.dataDir);
  const log = createLog(config.logLevel, 'main');
  log.info(
    { version, edges: config.edgeThreads, shards: config.shards, dataDir: config.dataDir },
    'starting',
  );
  warnOfShortTokens(config, log);
  settleProcessLimits(config, log);
  const pod = new Pod(config, isDemo, log, (message) => {
    log.fatal(message);
    stop(1);
  });
  stop = serve(pod, log, unlock);
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'the supervisor met a bug');
    dieAtOnce();
  });
  pod.start();
  if (isDemo) {
    const { apiHost, apiPort } = config;
    startBidder(config).unref();
    log.info(`demo: sample campaigns and simulated bids; see http://${apiHost}:${apiPort}/`);
  }
}

main().catch((error: unknown) => {
  const line = error instanceof ConfigError || error instanceof Error ? error.message : String(error);
  process.stderr.write(`pacer: ${line}\n`);
  process.exitCode = 1;
});
