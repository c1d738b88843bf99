/**
 * Which upgrades reach the WebSocket. Node takes every request with an Upgrade header out of HTTP as soon as anybody
 * listens for upgrades; some clients, such as Java's, ask for `h2c` with each plain request. Those are put back and
 * served as the plain requests they are. A connection that was taken out and did not become a WebSocket belongs to
 * nobody, so it is ended here: once its refusal is sent, or when its time is up.
 */
import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { hasUnanswered } from '../connection-limits.ts';

/** How long the way to an open WebSocket, or to the end of a refusal, may take. */
const UPGRADE_MS = 10_000;

/** Requests that were taken out of HTTP. */
const upgrading = new WeakSet<IncomingMessage>();

/** An emitter of the `upgrade` events of a server that are for WebSockets. */
export function webSocketUpgrades(server: Server): EventEmitter {
  const upgrades = new EventEmitter();
  server.on('upgrade', (request, socket, head) => {
    // The answers to what came before are still on their way: another one would come between them.
    if (hasUnanswered(request.socket)) {
      socket.destroy();
    } else if (request.headers.upgrade?.toLowerCase() === 'websocket') {
      upgrading.add(request);
      // An open WebSocket unsets it.
      request.socket.setTimeout(UPGRADE_MS, () => socket.destroy());
      upgrades.emit('upgrade', request, socket, head);
    } else serveWithout(server, request, socket, head);
  });
  return upgrades;
}

/** Ends the connections of refused upgrades. To be added before the routes. */
export function endRefusedUpgrades(app: FastifyInstance): void {
  app.addHook('onResponse', async ({ raw }) => {
    if (upgrading.has(raw)) raw.socket.destroySoon();
  });
}

/** Gives the request to the server once more, as it came but for the upgrade. */
function serveWithout(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at] as string;
    if (!UPGRADING.has(name.toLowerCase())) lines.push(`${name}: ${request.rawHeaders[at + 1]}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

const UPGRADING: ReadonlySet<string> = new Set(['upgrade', 'connection', 'http2-settings']);
