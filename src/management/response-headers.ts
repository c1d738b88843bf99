/**
 * What every answer of the management port carries: the request's id, and the headers that keep a browser from
 * doing with a page or an answer what nobody meant.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { isId } from '../domain/campaign.ts';

/** Nothing but our own files, and no script or style inside a page. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HEADERS: readonly (readonly [string, string])[] = [
  ['content-security-policy', CONTENT_SECURITY_POLICY],
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
  ['referrer-policy', 'no-referrer'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['cache-control', 'no-store'],
];

/** The client's own id when it is one of ours in form, else a new one. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return isId(given) ? given : randomUUID();
}

/** Also for answers that no hook comes before. */
export function setResponseHeaders(reply: FastifyReply): void {
  reply.header('x-request-id', reply.request.id);
  for (const [name, value] of HEADERS) if (!reply.hasHeader(name)) reply.header(name, value);
}

/** Adds to what the answer depends on, as it may depend on several headers of the request. */
export function addVary(reply: FastifyReply, header: string): void {
  const said = reply.getHeader('vary');
  reply.header('vary', said === undefined ? header : `${String(said)}, ${header}`);
}

/** To be added first. */
export function addResponseHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', async (_request, reply) => setResponseHeaders(reply));
}
