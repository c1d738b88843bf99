/**
 * Where a running pacer is and what it wants to be told: `--url` and `--api-url`, else the ports of the
 * configuration; the tokens come from EDGE_TOKEN and API_TOKENS, never from the command line, which others can see.
 */
import type { ParseArgsConfig } from 'node:util';
import { ConfigError, type Environment, environmentFrom, readConfig } from '../config/config.ts';
import type { ServiceAddress } from './service-client.ts';

export interface RunningPacer {
  /** What bidders call. */
  readonly core: ServiceAddress;
  /** What operators call. */
  readonly api: ServiceAddress;
}

/** The words that each command about a running pacer takes. */
export const PACER_OPTIONS = {
  url: { type: 'string' },
  'api-url': { type: 'string' },
  json: { type: 'boolean', default: false },
} as const satisfies ParseArgsConfig['options'];

interface Given {
  readonly url?: string | undefined;
  readonly 'api-url'?: string | undefined;
}

/** @throws ConfigError naming what is not accepted */
export function runningPacer(given: Given): RunningPacer {
  const environment = environmentFrom(process.env, process.cwd());
  const config = readConfig(environment);
  return {
    core: { url: urlOf('--url', given.url, config.host, config.port), token: config.edgeToken },
    api: {
      url: urlOf('--api-url', given['api-url'], config.apiHost, config.apiPort),
      token: operatorToken(environment),
    },
  };
}

function urlOf(option: string, given: string | undefined, host: string, port: number): string {
  if (given === undefined) return `http://${reachable(host)}:${port}`;
  if (/^https?:\/\//.test(given) && URL.canParse(given)) return new URL(given).origin;
  throw new ConfigError(`${option} ${JSON.stringify(given)} is not accepted: it takes http(s)://host:port`);
}

/** Where a server that listens on every address is found on this machine. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/** The first operator's token of API_TOKENS, `name:role:token,…`, whose form the configuration has checked. */
function operatorToken(environment: Environment): string | null {
  for (const entry of (environment.API_TOKENS ?? '').split(',')) {
    const [, token] = /^[^:]*:operator:(.*)$/.exec(entry.trim()) ?? [];
    if (token !== undefined) return token;
  }
  return null;
}

/** A whole number between two bounds. @throws ConfigError naming the option */
export function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new ConfigError(
    `${option} ${JSON.stringify(text)} is not accepted: it takes a whole number from ${min} to ${max}`,
  );
}
