/**
 * What has to be settled of the process before its threads start: the size of headers that uWebSockets.js takes, which
 * it reads from the environment when it is loaded, how much garbage threads may keep, and whether the file descriptors
 * are enough for the connections.
 */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import type { Config } from '../config/config.ts';
import type { Log } from '../threads/log.ts';

/** For the ledger, Postgres, Redis, threads and their pipes. */
const OWN_DESCRIPTORS = 256;

/**
 * V8 lets a heap grow to several times what lives in it before it collects it all. Nearly all of what threads keep is
 * kept for long, campaigns above all, so a tenth is enough. With 100,000 campaigns under load that is 20 MB less than with
 * a fifth, for a collection every five seconds in place of ten, nearly all of it beside the thread.
 */
const HEAP_GROWING_PERCENT = 10;

export function settleProcessLimits(config: Config, log: Log): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
  process.env.UWS_HTTP_MAX_HEADERS_SIZE = String(config.headerBytesMax);
  const wanted = config.connectionsMax + config.apiConnectionsMax + OWN_DESCRIPTORS;
  const limit = descriptorsMax();
  if (limit === null || limit >= wanted) return;
  log.warn(
    { limit, wanted },
    'the process may open fewer files than MAX_CONNECTIONS and API_MAX_CONNECTIONS want: raise ulimit -n or lower them',
  );
}

/** Null where the system does not say. Node has raised the soft limit to the hard one. */
function descriptorsMax(): number | null {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}
