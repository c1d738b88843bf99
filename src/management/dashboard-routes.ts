/**
 * `GET /`: the dashboard, and the files it is made of. The files hold nothing secret and are open; the page
 * itself wants a viewer, and says who is looking, so that it can leave out what that caller may not do.
 */
import { fileURLToPath } from 'node:url';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../domain/app-error.ts';
import { type DashboardFile, readDashboardFiles } from './dashboard-files.ts';
import type { Description } from './operation.ts';
import { addVary } from './response-headers.ts';

const FOLDER = fileURLToPath(new URL('../dashboard/', import.meta.url));
const PAGE = '/index.html';
/** Served by their own routes, with what they say to whom. */
const PAGES = [PAGE, '/login.html'];
const CALLER_MARK = '%caller%';
const FOR_GOOD = 'public, max-age=31536000, immutable';
const FOR_AN_HOUR = 'public, max-age=3600';

const DASHBOARD: Description = {
  operationId: 'getDashboard',
  tag: 'Service',
  summary: 'The dashboard, for people',
  answers: { 200: { description: 'The page.', other: { 'text/html': null } } },
};

export interface DashboardOptions {
  /** Whether callers have to log in. */
  readonly asksForLogin: boolean;
  /** Whether traffic is simulated. */
  readonly isDemo: boolean;
  readonly folder?: string;
}

export function addDashboardRoutes(app: FastifyInstance, options: DashboardOptions): void {
  const { asksForLogin, isDemo, folder = FOLDER } = options;
  const files = readDashboardFiles(folder);
  const page = files.get(PAGE)?.bytes.toString('utf8');

  app.get('/', { config: { described: DASHBOARD } }, async (request, reply) => {
    if (page === undefined) throw new AppError('not_found', 'the dashboard was not built: npm run build');
    const caller = { name: request.actor, role: request.role, asks_for_login: asksForLogin, demo: isDemo };
    return reply
      .type('text/html; charset=utf-8')
      .send(page.replace(CALLER_MARK, () => attribute(JSON.stringify(caller))));
  });

  for (const [path, file] of files) {
    if (PAGES.includes(path)) continue;
    app.get(path, { config: { access: 'open', described: 'page-file' } }, async (request, reply) =>
      sendFile(file, request, reply),
    );
  }
}

function sendFile(file: DashboardFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { contentType, bytes, gzipped, isImmutable } = file;
  reply.type(contentType).header('cache-control', isImmutable ? FOR_GOOD : FOR_AN_HOUR);
  addVary(reply, 'accept-encoding');
  const takesGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  if (gzipped === null || !takesGzip) return reply.send(bytes);
  return reply.header('content-encoding', 'gzip').send(gzipped);
}

/** Text as the value of a double-quoted HTML attribute. */
function attribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
