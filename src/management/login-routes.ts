/**
 * Logging in and out, for pages and WebSockets: a token is exchanged for a session in a cookie that no script can
 * read and that no other site's request carries. JSON or the form of {@link sendLoginPage}.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AppError } from '../domain/app-error.ts';
import { type Credentials, sessionCookie } from './credentials.ts';
import { checked, tokenText } from './field-rules.ts';
import { sendLoginPage } from './login-page.ts';
import { isForeign, isOverTls } from './origin.ts';
import { bodyOf } from './request.ts';
import { SESSION_SECONDS } from './sessions.ts';

const loginBody = z.strictObject({ token: tokenText });
const OPEN = { config: { access: 'open' } } as const;

export function addLoginRoutes(app: FastifyInstance, credentials: Credentials): void {
  app.get('/login', OPEN, async (_request, reply) => sendLoginPage(reply));

  app.post('/login', OPEN, async (request, reply) => {
    refuseOtherSites(request);
    const form = formOf(request);
    try {
      const { token } = checked(loginBody, form ?? bodyOf(request));
      const { holder, sessionId } = credentials.login(token, Date.now());
      setCookie(request, reply, sessionId);
      if (form !== null) return reply.code(303).header('location', '/').send();
      return { name: holder.name, role: holder.role, expires_in_seconds: SESSION_SECONDS };
    } catch (error) {
      if (form === null || !(error instanceof AppError) || error.status >= 500) throw error;
      return sendLoginPage(reply.code(error.status), true);
    }
  });

  app.post('/logout', OPEN, async (request, reply) => {
    refuseOtherSites(request);
    credentials.logout(request.headers);
    setCookie(request, reply, '');
    return { status: 'logged_out' };
  });
}

function setCookie(request: FastifyRequest, reply: FastifyReply, sessionId: string): void {
  reply.header('set-cookie', sessionCookie(sessionId, isOverTls(request.headers)));
}

/** Another site could otherwise log a person in as somebody else. */
function refuseOtherSites({ headers }: FastifyRequest): void {
  if (isForeign(headers, [])) throw new AppError('forbidden', 'a page of another origin may not do this');
}

/** The fields of a form, or null when the body is JSON, which begins with a brace. */
function formOf(request: FastifyRequest): Readonly<Record<string, string>> | null {
  const text = Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '';
  return text.startsWith('token=') ? Object.fromEntries(new URLSearchParams(text)) : null;
}
