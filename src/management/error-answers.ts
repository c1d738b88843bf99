/**
 * Every error of the management port in the contract's one shape, whoever found it: our own code, Fastify,
 * or Node's HTTP parser. Nothing of an unexpected error reaches the client; it goes to the log.
 */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { AppError } from '../domain/app-error.ts';
import { setChallenge } from './access.ts';
import { setResponseHeaders } from './response-headers.ts';

/** How long a connection is kept after the answer to what could not be read. */
const LINGER_MS = 1_000;

/** Installs the handlers for errors and for routes that do not exist. */
export function addErrorAnswers(app: FastifyInstance, log: Logger, bodyBytesMax: number): void {
  app.setErrorHandler((error, request, reply) => {
    void answerError(asAppError(error, bodyBytesMax, request, log), reply);
  });
  app.setNotFoundHandler((request, reply) => {
    // The path is not repeated: it can be anything.
    void answerError(new AppError('not_found', `there is no such path for ${request.method}`), reply);
  });
}

/** The answer to an error; also Fastify's `frameworkErrors`, for paths it cannot read. */
export function answerError(error: AppError, reply: FastifyReply): FastifyReply {
  // For a path that Fastify cannot read, no hook has run.
  setResponseHeaders(reply);
  setChallenge(error, reply);
  if (error.retryAfterSeconds > 0) reply.header('retry-after', String(error.retryAfterSeconds));
  // Fastify would close at once, and the reset that follows what the client still sends takes the answer with
  // it. Kept alive, Node reads the rest of the body into nothing, for as long as a request may take.
  if (error.code === 'body_too_large') reply.header('connection', 'keep-alive');
  return reply
    .code(error.status)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(error.toBody()));
}

/** Answers what Node's parser refuses before there is a request, and closes that connection. */
export function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = new AppError(
    'invalid_request',
    'the request is not valid HTTP/1.1, or its headers are too large',
  );
  const body = JSON.stringify(refusal.toBody());
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  // A client that goes on sending would never end its side; one that listens has time to read the answer.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

function asAppError(error: unknown, bodyBytesMax: number, request: FastifyRequest, log: Logger): AppError {
  if (error instanceof AppError) {
    if (error.status >= 500) {
      log.warn({ request_id: request.id, err: error, code: error.code }, 'a request could not be served');
    }
    return error;
  }
  const status = statusCodeOf(error);
  if (status === 413)
    return new AppError('body_too_large', `a body of at most ${bodyBytesMax} bytes is accepted`);
  if (status >= 400 && status < 500) return new AppError('invalid_request', 'the request is malformed');
  log.error(
    { request_id: request.id, err: error, method: request.method, route: request.routeOptions.url },
    'unexpected error in a request',
  );
  return new AppError('unavailable', 'the request could not be served; try again');
}

function statusCodeOf(error: unknown): number {
  if (!(error instanceof Error) || !('statusCode' in error)) return 0;
  return typeof error.statusCode === 'number' ? error.statusCode : 0;
}
