/** The two OpenAPI documents, and the page at /docs that shows them and sends requests to the management API. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { addOperation, type DescribedRoute, type Description } from '../operation.ts';
import { addVary } from '../response-headers.ts';
import { CORE_API, CORE_ROUTES } from './core-api.ts';
import { openApiDocument } from './document.ts';
import { managementApi } from './management-api.ts';
import { PAGE_FILES, type PageFile, PageFiles } from './page-files.ts';

const FOR_AN_HOUR = 'public, max-age=3600';

const PAGE: Description = {
  operationId: 'getDocs',
  tag: 'Service',
  summary: 'This description as a page, from which requests can be sent',
  answers: { 200: { description: 'The page.', other: { 'text/html': null } } },
};

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
      document ??= JSON.stringify(openApiDocument(managementApi(credentialsRequired), routes));
      return reply.type('application/json; charset=utf-8').send(document);
    },
  );

  let coreDocument: string | null = null;
  addOperation(
    app,
    {
      method: 'GET',
      url: '/openapi-core.json',
      operationId: 'getCoreOpenApi',
      tag: 'Service',
      summary: 'The description of the core service, which bidders call on a port of its own',
      answer: { description: 'The document.', body: z.looseObject({ openapi: z.string() }) },
    },
    async (_given, _request, reply) => {
      coreDocument ??= JSON.stringify(openApiDocument(CORE_API, CORE_ROUTES));
      return reply.type('application/json; charset=utf-8').send(coreDocument);
    },
  );

  const files = new PageFiles();
  app.get('/docs', { config: { described: PAGE } }, async (request, reply) =>
    send(await files.read('index.html'), request, reply),
  );
  for (const name of PAGE_FILES) {
    if (name === 'index.html') continue;
    const config = { access: 'open', described: 'page-file' } as const;
    app.get(`/docs/${name}`, { config }, async (request, reply) =>
      send(await files.read(name), request, reply.header('cache-control', FOR_AN_HOUR)),
    );
  }
}

function send(file: PageFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  addVary(reply, 'accept-encoding');
  reply.type(file.contentType);
  if (!/\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) return reply.send(file.bytes);
  return reply.header('content-encoding', 'gzip').send(file.gzipped);
}
