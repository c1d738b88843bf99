/** The shard's thread from its compiled entry file, supervised by the test: `npm run build` comes first. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import type { ShardRequest, ShardToManagement } from '../../../src/messages/management-shard.ts';
import type { ShardStart } from '../../../src/messages/supervision.ts';
import { allocateDecisionLimit } from '../../../src/table/decision-limit.ts';
import { allocateEdgeTurns } from '../../../src/table/edge-turns.ts';
import { allocateTable } from '../../../src/table/layout.ts';
import { allocateMeters } from '../../../src/table/meters.ts';
import { allocatePodState } from '../../../src/table/pod-state.ts';
import { EDGE_METERS, SHARD_METERS } from '../../../src/table/thread-meters.ts';
import { someCampaign } from '../../support/campaigns.ts';
import { until } from '../../support/pod-wait.ts';

const ENTRY = new URL('../../../dist/shard/shard-thread.js', import.meta.url);

describe("a shard's thread", () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'pacer-test-shard-thread-'));
  /** A database that takes connections and says nothing. */
  const silent = createServer((socket) => sockets.push(socket));
  const sockets: Socket[] = [];
  const ports: MessagePort[] = [];
  let worker: Worker;

  beforeAll(async () => {
    await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
    const config = readConfig({ DATA_DIR: dataDir, EDGE_THREADS: '1', SHARDS: '1', LOG_LEVEL: 'silent' });
    const memory = {
      table: allocateTable(config.campaignsMax, 1, 1),
      state: allocatePodState(Date.now()),
      edgeTurns: allocateEdgeTurns(1),
      decisionLimit: allocateDecisionLimit(),
      edgeMeters: [allocateMeters(EDGE_METERS)],
      shardMeters: [allocateMeters(SHARD_METERS)],
      managementLag: new SharedArrayBuffer(8),
    };
    const workerData: ShardStart = { config, memory, shard: 0 };
    worker = new Worker(ENTRY, { workerData });
    expect(await once(worker, 'message')).toEqual([{ type: 'ready' }]);
    const url = `postgres://pacer@127.0.0.1:${(silent.address() as AddressInfo).port}/pacer`;
    worker.postMessage({ type: 'database', address: { url } });
  });
  afterAll(async () => {
    for (const port of ports) port.close();
    endDatabase();
    const exited = once(worker, 'exit');
    worker.postMessage({ type: 'stop' });
    await exited;
    rmSync(dataDir, { recursive: true, force: true });
  });

  function endDatabase(): void {
    silent.close();
    for (const socket of sockets) socket.destroy();
  }

  /** The management thread's line: what it has heard, and its side. */
  function management(): { readonly port: MessagePort; readonly heard: ShardToManagement[] } {
    const { port1, port2 } = new MessageChannel();
    const heard: ShardToManagement[] = [];
    ports.push(port1);
    port1.on('message', (message: ShardToManagement) => heard.push(message));
    worker.postMessage({ type: 'management-port', port: port2 }, [port2]);
    return { port: port1, heard };
  }

  it('does not answer the management thread that took the place of the one that asked', async () => {
    const request: ShardRequest = { type: 'upsert', campaign: someCampaign() };
    const first = management();
    first.port.postMessage({ number: 1, request });
    await until('the history is asked', () => sockets.length > 0);
    const second = management();
    second.port.postMessage({ number: 2, request: { type: 'describe', campaignIds: [] } });
    await until('it answers', () => second.heard.length > 0);
    endDatabase();
    await until('it answers the first one as well', () => first.heard.length > 0);
    second.port.postMessage({ number: 3, request: { type: 'describe', campaignIds: [] } });
    await until('it has answered everything', () => second.heard.some(({ number }) => number === 3));
    expect(first.heard).toMatchObject([{ number: 1, answer: { ok: false, code: 'unavailable' } }]);
    expect(second.heard.map(({ number }) => number)).toEqual([2, 3]);
  });
});
