/** What breaks, in turns: a fault for each period, begun and ended within it. */
import type { TestFleet } from '../../test/support/fleet.ts';
import type { FaultPart } from './options.ts';
import { type Outages, podPart } from './outages.ts';

export interface Fault {
  readonly parts: readonly FaultPart[];
  readonly name: string;
  begin(): Promise<void>;
  /** Resolves when the part is there again. */
  end(): Promise<void>;
}

/** In their order. It is the last pod that is ended, never the first: one stays, for its memory to be watched. */
export function faultsOf(fleet: TestFleet, outages: Outages, parts: readonly FaultPart[]): Fault[] {
  const redis = (signal: 'SIGTERM' | 'SIGKILL'): Fault => ({
    parts: ['redis'],
    name: `redis ${signal}`,
    begin: () => away(outages, 'redis', () => fleet.redis.stop(signal)),
    end: () => back(outages, 'redis', () => fleet.redis.resume()),
  });
  const postgres = (signal: 'SIGINT' | 'SIGKILL', name: string): Fault => ({
    parts: ['postgres'],
    name: `postgres ${name}`,
    begin: () => away(outages, 'postgres', () => fleet.postgres.stop(signal)),
    end: () => back(outages, 'postgres', () => fleet.postgres.resume()),
  });
  const last = fleet.pods.length - 1;
  const pod = (signal: 'SIGTERM' | 'SIGKILL'): Fault => ({
    parts: ['pod'],
    name: `pod ${signal}`,
    begin: () => away(outages, podPart(last), async () => void (await fleet.pod(last).stop(signal))),
    end: () => back(outages, podPart(last), () => fleet.pod(last).restart()),
  });
  const wiped: Fault = {
    parts: ['redis'],
    name: 'redis emptied',
    begin: async () => void (await fleet.redis.admin.flushall()),
    end: async () => undefined,
  };
  const frozen: Fault = {
    parts: ['redis'],
    name: 'redis frozen',
    begin: () => away(outages, 'redis', async () => fleet.redis.freeze()),
    end: () => back(outages, 'redis', async () => fleet.redis.thaw()),
  };
  const all = [
    redis('SIGKILL'),
    postgres('SIGKILL', 'SIGKILL'),
    pod('SIGKILL'),
    redis('SIGTERM'),
    postgres('SIGINT', 'stopped'),
    pod('SIGTERM'),
    wiped,
    frozen,
    atOnce([pod('SIGKILL'), redis('SIGKILL'), postgres('SIGKILL', 'SIGKILL')]),
  ];
  return all.filter((fault) => fault.parts.every((part) => parts.includes(part)));
}

/** All of them; what was ended first is the first to come back, while the others are still away. */
function atOnce(faults: readonly Fault[]): Fault {
  return {
    parts: faults.flatMap(({ parts }) => parts),
    name: 'all at once',
    begin: async () => {
      for (const fault of faults) await fault.begin();
    },
    end: async () => {
      for (const fault of faults) await fault.end();
    },
  };
}

async function away(outages: Outages, part: string, stop: () => Promise<void>): Promise<void> {
  outages.begin(part);
  await stop();
}

async function back(outages: Outages, part: string, start: () => Promise<void>): Promise<void> {
  await start();
  outages.end(part);
}
