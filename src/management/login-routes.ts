/**
 * Logging in and out, for pages and WebSockets: a token is exchanged for a session in a cookie that no script can
 * read and that no other site's request carries. JSON or the form of {@link sendLoginPage}.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { API_ROLES } from '../config/api-tokens.ts';
import { AppError } from '../domain/app-error.ts';
import { setChallenge } from './access.ts';
import { type Credentials, sessionCookie } from './credentials.ts';
import { checked, tokenText } from './field-rules.ts';
import { sendLoginPage } from './login-page.ts';
import { addOperation, type Description } from './operation.ts';
import { isForeign, isOverTls } from './origin.ts';
import { bodyOf } from './request.ts';
import { SESSION_SECONDS } from './sessions.ts';

const loginBody = z.strictObject({ token: tokenText.describe('One of API_TOKENS.') }).meta({ id: 'Login' });

const shownLogin = z.strictObject({
  name: z.string(),
  role: z.enum(API_ROLES),
  expires_in_seconds: z.int().min(1),
});

const tag = 'Session';

const LOGIN_PAGE: Description = {
  operationId: 'getLoginPage',
  tag,
  summary: 'The form that asks a person for a token',
  answers: { 200: { description: 'The page.', other: { 'text/html': null } } },
};

const LOGIN: Description = {
  operationId: 'login',
  tag,
  summary: 'Exchange a token for a session in a cookie that no script can read',
  description: 'For pages and WebSockets; other programs send the token with each request.',
  body: loginBody,
  alsoForm: true,
  bodyExamples: { token: { token: 'the-token' } },
  answers: {
    200: {
      description: 'Logged in.',
      body: shownLogin,
      headers: ['Set-Cookie'],
      example: { name: 'ops', role: 'operator', expires_in_seconds: SESSION_SECONDS },
    },
    303: { description: 'Logged in with the form.', headers: ['Set-Cookie', 'Location'] },
  },
  errors: ['unauthorized', 'forbidden', 'not_found'],
};

export function addLoginRoutes(app: FastifyInstance, credentials: Credentials): void {
  app.get('/login', { config: { access: 'open', described: LOGIN_PAGE } }, async (_request, reply) =>
    sendLoginPage(reply),
  );

  app.post('/login', { config: { access: 'open', described: LOGIN } }, async (request, reply) => {
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
      setChallenge(error, reply);
      return sendLoginPage(reply.code(error.status), true);
    }
  });

  addOperation(
    app,
    {
      method: 'POST',
      url: '/logout',
      access: 'open',
      operationId: 'logout',
      tag,
      summary: 'End the session of the cookie',
      answer: {
        description: 'There is no session any more.',
        body: z.strictObject({ status: z.literal('logged_out') }),
        headers: ['Set-Cookie'],
        example: { status: 'logged_out' },
      },
      errors: ['forbidden'],
    },
    async (_given, request, reply) => {
      refuseOtherSites(request);
      credentials.logout(request.headers);
      setCookie(request, reply, '');
      return { status: 'logged_out' as const };
    },
  );
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
