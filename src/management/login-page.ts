/** The form that asks a person for a token: one page, without a script, its style named by its hash. */
import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { contentSecurityPolicy } from './response-headers.ts';

const STYLE =
  'body{font:16px system-ui,sans-serif;margin:0;display:grid;place-items:center;min-height:100vh;background:#f4f5f7;color:#1d2330}' +
  'form{background:#fff;padding:2rem;border:1px solid #d5d9e0;border-radius:8px;display:grid;gap:.75rem;width:min(22rem,80vw)}' +
  'h1{font-size:1.2rem;margin:0}input,button{font:inherit;padding:.5rem}p{color:#b00020;margin:0}' +
  '@media(prefers-color-scheme:dark){body{background:#14171d;color:#e6e8ec}form{background:#1d222b;border-color:#343b48}p{color:#ff8a80}}';

const POLICY = contentSecurityPolicy(`'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`);

const pageWith = (notice: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Budget pacer: log in</title>` +
  `<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body>` +
  `<form method="post" action="/login"><h1>Budget pacer</h1>${notice}<label for="token">Token</label>` +
  `<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>` +
  `<button>Log in</button></form></body></html>`;

const PAGE = pageWith('');
const PAGE_AFTER_REFUSAL = pageWith('<p role="alert">This token is not accepted.</p>');

/** Sends the form with the status that the reply has. */
export function sendLoginPage(reply: FastifyReply, refused = false): FastifyReply {
  return reply
    .header('content-security-policy', POLICY)
    .type('text/html; charset=utf-8')
    .send(refused ? PAGE_AFTER_REFUSAL : PAGE);
}
