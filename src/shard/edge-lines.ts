/**
 * A shard's lines to the edges, each with a number that is never used again. An edge that is started anew gets a line of its
 * own: its tickets begin anew too, so what its last thread still waited for, a slow commit say, must not be answered to it.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { EdgeToShard, ShardToEdge } from '../messages/edge-shard.ts';
import type { PostedBatch } from './edge-reports.ts';

/** An edge posts one batch a turn of its own: so many waiting means that this thread stood still for long. */
const BATCHES_A_TURN_MAX = 10_000;

export class EdgeLines {
  private readonly ports = new Map<number, MessagePort>();
  private opened = 0;

  /** @param received called with each batch, unless {@link takePosted} has taken it before */
  connect(port: MessagePort, received: (posted: PostedBatch) => void): void {
    const edge = this.opened++;
    this.ports.set(edge, port);
    port.on('message', (batch: EdgeToShard) => received({ edge, batch }));
    port.on('close', () => this.ports.delete(edge));
  }

  /** Sends, unless the line has ended: then nobody waits for it. */
  send(edge: number, message: ShardToEdge): void {
    this.ports.get(edge)?.postMessage(message);
  }

  /**
   * Takes what stands in the edges' ports. Ports are served one after the other, so that a win could come out of one before
   * its reservation, which was posted earlier, comes out of another.
   */
  takePosted(): PostedBatch[] {
    const posted: PostedBatch[] = [];
    for (const [edge, port] of this.ports) {
      for (let taken = 0; taken < BATCHES_A_TURN_MAX; taken++) {
        const next: { message: EdgeToShard } | undefined = receiveMessageOnPort(port);
        if (next === undefined) break;
        posted.push({ edge, batch: next.message });
      }
    }
    return posted;
  }

  close(): void {
    for (const port of this.ports.values()) port.close();
  }
}
