import Fastify from 'fastify';
import { expect, it } from 'vitest';
import { Credentials } from '../../../src/management/credentials.ts';
import { addLiveRoutes } from '../../../src/management/live/live-routes.ts';
import { TestLiveClient } from '../../support/live-client.ts';
import { LiveTable } from '../../support/live-table.ts';
import { until } from '../../support/pod-wait.ts';

const TURN_MS = 20;

it('turns of live updates that take long come seldom, and still within a second', async () => {
  const turns: number[] = [];
  const table = new LiveTable(8);
  table.add('first');
  const live = table.live(5, {
    totals: () => {
      const startedMs = performance.now();
      turns.push(startedMs);
      while (performance.now() - startedMs < TURN_MS);
      return { qps: turns.length };
    },
  });
  const app = Fastify({ logger: false });
  addLiveRoutes(app, live, new Credentials([]));
  await app.listen({ host: '127.0.0.1', port: 0 });
  const client = TestLiveClient.connect((app.server.address() as { port: number }).port);
  await until('some turns', () => turns.length >= 5);
  client.close();
  await app.close();
  // The first is that of the client itself, the second was due before any had taken long.
  const rests = turns.slice(2).map((atMs, at) => atMs - (turns[at + 1] ?? 0));
  for (const restMs of rests) expect(restMs).toBeGreaterThan(690);
});
