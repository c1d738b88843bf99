/**
 * The form that asks a person for a token: a page of the built dashboard, in its look. Where none was built, the same
 * form in plain HTML. No script is needed to log in, and none stands in the page.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FastifyReply } from 'fastify';

const BUILT = fileURLToPath(new URL('../dashboard/login.html', import.meta.url));
const REFUSAL_MARK = '%refusal%';
const REFUSAL = '<p class="refusal" role="alert">This token is not accepted.</p>';
const PLAIN =
  '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Budget pacer: log in</title>' +
  '<meta name="viewport" content="width=device-width"></head><body><h1>Budget pacer</h1>' +
  `<form method="post" action="/login">${REFUSAL_MARK}<label for="token">Token</label> ` +
  '<input id="token" name="token" type="password" autocomplete="current-password" required autofocus> ' +
  '<button>Log in</button></form></body></html>';

const page = readPage();
const pages = { asking: page.replace(REFUSAL_MARK, ''), refusing: page.replace(REFUSAL_MARK, REFUSAL) };

/** Sends the form with the status that the reply has. */
export function sendLoginPage(reply: FastifyReply, refused = false): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(refused ? pages.refusing : pages.asking);
}

function readPage(): string {
  try {
    return readFileSync(BUILT, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return PLAIN;
    throw error;
  }
}
