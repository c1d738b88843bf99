/** What the routes read from a request: its body, parsed. */
import type { FastifyRequest } from 'fastify';
import { type JsonObject, parseJsonObject } from './request-body.ts';

/** The body as an object. @throws AppError `invalid_request`. */
export function bodyOf(request: FastifyRequest): JsonObject {
  return parseJsonObject(request.body instanceof Uint8Array ? request.body : new Uint8Array(0));
}

/** The body of a request that needs none: without one, an empty object. @throws AppError `invalid_request`. */
export function optionalBodyOf(request: FastifyRequest): JsonObject {
  const { body } = request;
  return body instanceof Uint8Array && body.length > 0 ? parseJsonObject(body) : {};
}
