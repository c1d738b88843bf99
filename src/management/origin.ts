/**
 * Which web page a browser's request comes from. Other programs send no Origin. A page cannot set these headers
 * for another site without a preflight, which only {@link addCors} grants.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { addVary } from './response-headers.ts';

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const HEADERS_ACCEPTED = 'authorization, content-type, x-request-id';
/** Beside the few that a browser shows to a page anyway: those of our answers that say something. */
const HEADERS_SHOWN =
  'x-next-cursor, x-request-id, location, retry-after, content-disposition, x-forecast-error, x-forecast-error-mean';
const PREFLIGHT_SECONDS = 600;

/** Whether the page is one of ours. Behind a proxy the browser's own word or the forwarded host tells. */
export function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  if (headers['sec-fetch-site'] !== undefined) return headers['sec-fetch-site'] === 'same-origin';
  const { origin } = headers;
  if (origin === undefined || !URL.canParse(origin)) return false;
  const { host } = new URL(origin);
  return host !== '' && (host === headers.host || host === headers['x-forwarded-host']);
}

/** Whether it can be known that the page is of another site. */
export function isForeign(headers: IncomingHttpHeaders, corsOrigins: readonly string[]): boolean {
  const { origin } = headers;
  return origin !== undefined && !corsOrigins.includes(origin) && !isSameOrigin(headers);
}

/** Names that no public name server can point elsewhere: localhost, an address, a name without a dot. */
const LOCAL_NAME =
  /^(localhost|([a-z0-9-]+\.)*localhost|[a-z0-9-]+|\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])\.?(:\d{1,5})?$/i;

/**
 * Whether the request names us by such a name. A page whose name was made to point at this machine (DNS rebinding) is of
 * the same origin as we are for the browser, and is told from our own pages by nothing else.
 */
export function isLocalName({ host }: IncomingHttpHeaders): boolean {
  return host === undefined || LOCAL_NAME.test(host);
}

/** Whether the browser reached us over TLS, be it through a proxy. */
export function isOverTls(headers: IncomingHttpHeaders): boolean {
  return headers['x-forwarded-proto'] === 'https' || headers.origin?.startsWith('https://') === true;
}

/**
 * Lets the pages of these origins call the API. With a token: cookies are never taken from another origin.
 * To be added before the credentials are asked for, as a preflight carries none.
 */
export function addCors(app: FastifyInstance, corsOrigins: readonly string[]): void {
  if (corsOrigins.length === 0) return;
  app.addHook('onRequest', async (request, reply) => {
    addVary(reply, 'origin');
    const { origin } = request.headers;
    if (origin === undefined || !corsOrigins.includes(origin)) return;
    reply.header('access-control-allow-origin', origin);
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) {
      reply.header('access-control-expose-headers', HEADERS_SHOWN);
      return;
    }
    reply.header('access-control-allow-methods', METHODS);
    reply.header('access-control-allow-headers', HEADERS_ACCEPTED);
    reply.header('access-control-max-age', String(PREFLIGHT_SECONDS));
    return reply.code(204).send();
  });
}
