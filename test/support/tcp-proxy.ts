/** A way to a server on loopback that can be made slow, both ways, or cut off, while connections stay open. */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class TcpProxy {
  /** How long each piece of bytes is on its way, ms. */
  delayMs = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #reachable = true;

  private constructor(targetPort: number) {
    this.#server = createServer((near) => {
      if (!this.#reachable) {
        near.destroy();
        return;
      }
      const far = connect({ host: '127.0.0.1', port: targetPort });
      this.#relay(near, far);
      this.#relay(far, near);
    });
  }

  static async to(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    await new Promise<void>((listening) => proxy.#server.listen(0, '127.0.0.1', listening));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends every connection and refuses new ones, until it is joined again. */
  cut(): void {
    this.#reachable = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  join(): void {
    this.#reachable = true;
  }

  async remove(): Promise<void> {
    this.cut();
    await new Promise((closed) => this.#server.close(closed));
  }

  /** Bytes keep their order, also when the delay gets shorter: timers that end together may end in any. */
  #relay(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    const underWay: Buffer[] = [];
    let leavesAtMs = 0;
    from.on('data', (bytes) => {
      leavesAtMs = Math.max(leavesAtMs, performance.now() + this.delayMs);
      underWay.push(bytes);
      setTimeout(() => to.write(underWay.shift() as Buffer), leavesAtMs - performance.now());
    });
    from.on('error', () => {});
    from.once('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
