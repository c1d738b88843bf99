/**
 * Who may do what on the management port: a hook before every route. Reads want a viewer, everything else an
 * operator, unless the route says otherwise; what no credentials can tell apart, a browser's Origin does. Each
 * token has a rate of its own. Without API_TOKENS everybody is an anonymous operator, on loopback.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { ANONYMOUS, type ApiRole } from '../config/api-tokens.ts';
import { AppError } from '../domain/app-error.ts';
import type { Caller, Credentials } from './credentials.ts';
import { sendLoginPage } from './login-page.ts';
import type { Access } from './operation.ts';
import { isForeign, isLocalName, isSameOrigin } from './origin.ts';
import { RateLimiter } from './rate-limiter.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Least role a route wants; `open` asks nobody. Absent: by its method. */
    readonly access?: Access;
  }
  interface FastifyRequest {
    /** Name of the token behind the request, for the audit log. */
    actor: string;
    /** What the caller may do. */
    role: ApiRole;
  }
}

const RATE = { perSecond: 50, burst: 100, keysMax: 1_000 };
/** Refused tokens are logged so often for each address, that a flood of them does not flood the log. */
const REFUSALS_LOGGED = { perSecond: 1, burst: 5, keysMax: 1_000 };
const READING_METHODS: readonly string[] = ['GET', 'HEAD'];

export interface AccessOptions {
  readonly credentials: Credentials;
  readonly corsOrigins: readonly string[];
  /** Whether only this machine can reach the port. */
  readonly isLocal: boolean;
  readonly log: Logger;
}

/** To be added after the hooks that answer without credentials, and before the routes. */
export function addAccess(app: FastifyInstance, options: AccessOptions): void {
  const { credentials, corsOrigins, isLocal, log } = options;
  const rates = new RateLimiter(RATE);
  const refusalsLogged = new RateLimiter(REFUSALS_LOGGED);
  app.decorateRequest('actor', ANONYMOUS);
  app.decorateRequest('role', 'viewer');

  function callerOf(request: FastifyRequest): Caller {
    try {
      return credentials.callerOf(request.headers, Date.now());
    } catch (error) {
      const given = request.headers.authorization !== undefined;
      if (given && refusalsLogged.take(request.ip, performance.now())) {
        log.warn({ request_id: request.id, address: request.ip }, 'a request with a wrong token');
      }
      throw error;
    }
  }

  app.addHook('onRequest', async (request, reply) => {
    const wanted = accessOf(request);
    if (wanted === 'open') return;
    if (isLocal && !credentials.required && !isLocalName(request.headers)) {
      throw new AppError(
        'forbidden',
        'a port of this machine is called localhost or by an address: see API_TOKENS',
      );
    }
    if (credentials.required && wantsPage(request) && !isKnown(request, credentials)) {
      return sendLoginPage(reply.code(401).header('www-authenticate', CHALLENGE));
    }
    const caller = callerOf(request);
    request.actor = caller.name;
    request.role = caller.role;
    if (wanted === 'operator' && caller.role !== 'operator') {
      throw new AppError('forbidden', `the token ${caller.name} may read only: this wants an operator`);
    }
    refuseOtherPages(request, caller, corsOrigins);
    if (credentials.required && !rates.take(caller.name, performance.now())) {
      throw new AppError(
        'rate_limited',
        `more than ${RATE.perSecond} requests a second with the token ${caller.name}; try again`,
      );
    }
  });
}

const CHALLENGE = 'Bearer realm="budget-pacer"';

/** Adds what RFC 6750 wants beside a 401 or a 403. */
export function setChallenge(error: AppError, reply: FastifyReply): void {
  if (error.code === 'unauthorized') reply.header('www-authenticate', CHALLENGE);
  if (error.code === 'forbidden') {
    reply.header('www-authenticate', `${CHALLENGE}, error="insufficient_scope"`);
  }
}

function accessOf({ method, routeOptions }: FastifyRequest): Access {
  return routeOptions.config?.access ?? (READING_METHODS.includes(method) ? 'viewer' : 'operator');
}

/** A person who opens a page in a browser, and is better served with a form than with a coded error. */
function wantsPage({ method, headers }: FastifyRequest): boolean {
  const { accept, authorization } = headers;
  return method === 'GET' && authorization === undefined && accept?.includes('text/html') === true;
}

function isKnown(request: FastifyRequest, credentials: Credentials): boolean {
  try {
    credentials.callerOf(request.headers, Date.now());
    return true;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}

/**
 * Cookies, and access without any credentials, are there for any page that a browser shows: so changes and
 * WebSockets are taken from our own pages alone (a cookie), or from those of CORS_ORIGINS as well (no
 * credentials). A token is only sent by who has it.
 */
function refuseOtherPages(request: FastifyRequest, caller: Caller, corsOrigins: readonly string[]): void {
  const { method, headers } = request;
  if (caller.by === 'token') return;
  if (READING_METHODS.includes(method) && headers.upgrade === undefined) return;
  const refused = caller.by === 'session' ? !isSameOrigin(headers) : isForeign(headers, corsOrigins);
  if (refused) throw new AppError('forbidden', 'a page of another origin may not do this');
}
