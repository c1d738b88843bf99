/** What the routes read from a request besides its fields: the parsed body and the id in the path. */
import type { FastifyRequest } from 'fastify';
import { AppError } from '../domain/app-error.ts';
import { ID_ACCEPTED, isId } from '../domain/campaign.ts';
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

/** The `:id` of the path. @throws AppError `invalid_request`. */
export function pathId(request: FastifyRequest): string {
  const { id } = (request.params ?? {}) as Record<string, unknown>;
  if (isId(id)) return id;
  throw new AppError('invalid_request', `the id in the path must be ${ID_ACCEPTED}`, 'id');
}
