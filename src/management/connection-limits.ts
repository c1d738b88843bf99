/**
 * What clients of the management port may take of it by being slow, many or idle: how many connections, how long a
 * request may take to arrive, how long an answer may wait to be read, and how many requests of a connection may wait for
 * their answers. A client that pipelines without reading would otherwise make the server hold an answer for each.
 */
import type { ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Requests of one connection that may wait for their answers; browsers and clients send one after the other. */
export const PIPELINED_MAX = 32;

/** From the first byte of a request, or from the connection's beginning, to the end of its headers. */
const HEADERS_MS = 10_000;
/** To the end of its body. */
const REQUEST_MS = 20_000;
/** Node looks this often for requests that are late. */
const LOOK_MS = 2_000;
/** A connection on which nothing moves in either direction, such as an answer that nobody reads; more than any answer takes. */
export const STALLED_MS = 120_000;

export interface ConnectionLimits {
  readonly connectionsMax: number;
  readonly keepAliveMs: number;
  readonly headerBytesMax: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  connectionsMax: 1_000,
  keepAliveMs: 75_000,
  headerBytesMax: 8_192,
};

/** For Fastify, which sets three of them once more by options of its own. */
export function serverOptions({ keepAliveMs, headerBytesMax }: ConnectionLimits) {
  const http: ServerOptions = {
    maxHeaderSize: headerBytesMax,
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: LOOK_MS,
  };
  return {
    http,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: keepAliveMs,
    connectionTimeout: STALLED_MS,
  };
}

/** Of each connection, the requests without a whole answer. */
const unanswered = new WeakMap<Socket, number>();

/** Whether an answer is still to come on this connection. */
export function hasUnanswered(socket: Socket): boolean {
  return (unanswered.get(socket) ?? 0) > 0;
}

/** To be added before every other hook, and before the server listens. */
export function limitConnections(app: FastifyInstance, { connectionsMax }: ConnectionLimits): void {
  app.server.maxConnections = connectionsMax;
  app.server.prependListener('request', ({ socket }, response) => {
    unanswered.set(socket, (unanswered.get(socket) ?? 0) + 1);
    response.once('close', () => unanswered.set(socket, (unanswered.get(socket) ?? 1) - 1));
  });
  app.addHook('onRequest', async ({ raw: { socket } }, reply) => {
    if (!socket.destroyed && (unanswered.get(socket) ?? 0) <= PIPELINED_MAX) return;
    // Whatever else has arrived with it goes too.
    socket.destroy();
    return reply.hijack();
  });
}
