import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { BatchWriter, KIND_STATUS, type ShardToEdge } from '../../../src/messages/edge-shard.ts';
import { EdgeLines } from '../../../src/shard/edge-lines.ts';
import type { PostedBatch } from '../../../src/shard/edge-reports.ts';
import { until } from '../../support/pod-wait.ts';

describe("a shard's lines to the edges", () => {
  const lines = new EdgeLines();
  const ports: MessagePort[] = [];

  afterEach(() => {
    for (const port of ports.splice(0)) port.close();
  });

  /** An edge's thread: what it has heard, and its side of the line. */
  function edgeThread(received: (posted: PostedBatch) => void) {
    const { port1, port2 } = new MessageChannel();
    const heard: ShardToEdge[] = [];
    ports.push(port1);
    port1.on('message', (message: ShardToEdge) => heard.push(message));
    lines.connect(port2, received);
    return { port: port1, heard };
  }

  function ask(port: MessagePort, ticket: number): void {
    const writer = new BatchWriter();
    writer.add(KIND_STATUS, ticket, -1, 'campaign', 0, 0, 0, '', '');
    port.postMessage(writer.finish());
  }

  it('answer the thread that asked, and not the one that took its place and has the same tickets', async () => {
    const posted: PostedBatch[] = [];
    const received = (each: PostedBatch): void => void posted.push(each);
    const first = edgeThread(received);
    ask(first.port, 0);
    const asked = await until('the batch is received', () => posted.shift());
    first.port.close(); // it died of a bug
    const second = edgeThread(received);
    ask(second.port, 0);
    const askedAnew = await until('the batch is received', () => posted.shift());
    lines.send(asked.edge, { type: 'status', ticket: 0, body: 'for the first' });
    lines.send(askedAnew.edge, { type: 'status', ticket: 0, body: 'for the second' });
    await until('the answer is heard', () => second.heard.length > 0);
    expect(second.heard).toEqual([{ type: 'status', ticket: 0, body: 'for the second' }]);
    expect(first.heard).toEqual([]);
  });

  it('give out what stands in all of them, the batch of an edge that has ended too', async () => {
    const first = edgeThread(() => undefined);
    const second = edgeThread(() => undefined);
    ask(first.port, 1);
    ask(second.port, 2);
    first.port.close();
    const posted = lines.takePosted();
    expect(posted.map(({ batch }) => batch.numbers[1])).toEqual([1, 2]);
    expect(new Set(posted.map(({ edge }) => edge)).size).toBe(2);
  });
});
