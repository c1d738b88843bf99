/** GET /openapi.json. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { addOperation, type DescribedRoute } from '../operation.ts';
import { openApiDocument } from './document.ts';

/** @param credentialsRequired whether API_TOKENS is set */
export function addOpenApiRoutes(
  app: FastifyInstance,
  routes: readonly DescribedRoute[],
  credentialsRequired: boolean,
): void {
  let document: string | null = null;
  addOperation(
    app,
    {
      method: 'GET',
      url: '/openapi.json',
      operationId: 'getOpenApi',
      tag: 'Service',
      summary: 'This description, as OpenAPI 3.1',
      answer: { description: 'The document.', body: z.looseObject({ openapi: z.string() }) },
    },
    async (_given, _request, reply) => {
      document ??= JSON.stringify(openApiDocument(routes, credentialsRequired));
      return reply.type('application/json; charset=utf-8').send(document);
    },
  );
}
