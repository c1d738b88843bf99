/**
 * `pacer health-check`: each service's state and how fast it answered, as a table or as JSON. Exit code 1 when a port
 * does not answer or the pod is unhealthy; a degraded pod goes on serving and is not to be restarted, so it is 0.
 */
import { parseArgs } from 'node:util';
import { PACER_OPTIONS, runningPacer, wholeNumber } from './running-pacer.ts';
import { fieldOf, type ServiceAddress, ServiceClient } from './service-client.ts';
import { millisecondsText, textTable } from './text-table.ts';

interface Service {
  readonly service: string;
  readonly state: string;
  /** null where it is not this command that asks. */
  readonly latency_ms: number | null;
  readonly note: string;
}

interface Port {
  readonly service: Service;
  /** The body of its GET /health; undefined when there was none. */
  readonly health: unknown;
}

export async function runHealthCheck(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: { ...PACER_OPTIONS, timeout: { type: 'string', default: '3000' } },
  });
  const timeoutMs = wholeNumber('--timeout', values.timeout, 1, 600_000);
  const pacer = runningPacer(values);
  const [core, api] = await Promise.all([
    askPort('core service', pacer.core, timeoutMs),
    askPort('management API', pacer.api, timeoutMs),
  ]);
  const seen = core.health ?? api.health;
  const services = [
    core.service,
    api.service,
    dependency('ledger', fieldOf(seen, 'ledger_healthy')),
    dependency('redis', fieldOf(seen, 'redis_healthy')),
    dependency('postgres', fieldOf(seen, 'postgres_healthy')),
  ];
  const serves = [core, api].every(({ service }) => ['healthy', 'degraded'].includes(service.state));
  process.stdout.write(values.json ? json(serves, services) : table(services));
  if (!serves) process.exitCode = 1;
}

async function askPort(service: string, address: ServiceAddress, timeoutMs: number): Promise<Port> {
  const client = new ServiceClient(address, { timeoutMs });
  try {
    const { status, body, milliseconds } = await client.request('GET', '/health');
    const said = fieldOf(body, 'status');
    const latencyMs = Math.round(milliseconds * 1000) / 1000;
    if (typeof said !== 'string') {
      const note = `${address.url} answered ${status}, which is no pacer's health`;
      return { service: { service, state: 'unhealthy', latency_ms: latencyMs, note }, health: undefined };
    }
    const note = `${address.url}, version ${fieldOf(body, 'version')}, ${fieldOf(body, 'campaigns')} campaigns, up ${fieldOf(body, 'uptime_seconds')} s`;
    return { service: { service, state: said, latency_ms: latencyMs, note }, health: body };
  } catch (error) {
    const note = error instanceof Error ? error.message : String(error);
    return { service: { service, state: 'unreachable', latency_ms: null, note }, health: undefined };
  } finally {
    client.close();
  }
}

/** What the pod says of a server behind it. */
function dependency(service: string, healthy: unknown): Service {
  const [state, note] =
    healthy === true
      ? ['healthy', 'as the pod sees it']
      : healthy === false
        ? ['unhealthy', 'as the pod sees it; it goes on without']
        : healthy === null
          ? ['none', 'not configured']
          : ['unknown', 'no pod answered'];
  return { service, state, latency_ms: null, note };
}

function table(services: readonly Service[]): string {
  const rows = services.map(({ service, state, latency_ms: latency, note }) => [
    service,
    state,
    latency === null ? '-' : millisecondsText(latency),
    note,
  ]);
  return textTable([['SERVICE', 'STATE', 'LATENCY', 'NOTE'], ...rows], [2]);
}

function json(serves: boolean, services: readonly Service[]): string {
  return `${JSON.stringify({ healthy: serves, services })}\n`;
}
