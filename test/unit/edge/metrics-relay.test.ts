import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { MetricsRelay } from '../../../src/edge/metrics-relay.ts';
import type { Reply } from '../../../src/edge/msgpack.ts';
import type { EdgeToManagement, ManagementToEdge } from '../../../src/messages/edge-management.ts';
import { until } from '../../support/pod-wait.ts';

/** An answer, as a client gets it. */
class Answer implements Reply {
  status = '';
  body = '';
  cork(write: () => void): void {
    write();
  }
  writeStatus(status: string | ArrayBuffer): Reply {
    this.status = String(status);
    return this;
  }
  writeHeader(): Reply {
    return this;
  }
  end(body: unknown): void {
    this.body = String(body);
  }
  onAborted(): void {
    // Nobody goes away here.
  }
}

describe('a scrape that management is asked for', () => {
  const ports: MessagePort[] = [];

  afterEach(() => {
    for (const port of ports.splice(0)) port.close();
  });

  /** Management's thread: its side, and the tickets that it was asked with. */
  function management(relay: MetricsRelay): { readonly port: MessagePort; readonly asked: number[] } {
    const { port1, port2 } = new MessageChannel();
    const asked: number[] = [];
    ports.push(port1);
    port1.on('message', ({ ticket }: EdgeToManagement) => asked.push(ticket));
    relay.connect(port2);
    return { port: port1, asked };
  }

  it('is refused when that is started anew, also when its new thread is there before the end of the last is seen', async () => {
    const relay = new MetricsRelay();
    const first = management(relay);
    const lost = new Answer();
    relay.relay(lost);
    await until('it is asked', () => first.asked.length > 0);
    first.port.close();
    const second = management(relay);
    expect(lost.status).toBe('503 Service Unavailable');
    const served = new Answer();
    relay.relay(served);
    const ticket = await until('it is asked again', () => second.asked[0]);
    const reply: ManagementToEdge = { type: 'metrics', ticket, contentType: 'text/plain', body: 'up 1' };
    second.port.postMessage(reply);
    await until('it is answered', () => served.body === 'up 1');
    relay.close();
  });
});
