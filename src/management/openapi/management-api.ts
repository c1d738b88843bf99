/** The management API as a whole: what its document says besides its routes. */
import type { ErrorCode } from '../../domain/app-error.ts';
import type { DescribedRoute } from '../operation.ts';
import type { DescribedApi } from './described-api.ts';

const INTRODUCTION = `
For operators and their programs. Bidders have a port of their own.

**Money** is in cents with at most four decimals (\`0.15\` = one impression at $1.50 CPM), never rounded; a fifth
decimal is refused. **Times** are ISO 8601; one without an offset is UTC. **Ids** are 1–128 characters of
\`A-Z a-z 0-9 . _ : -\`. Bodies are JSON whatever their content type says; a field that a body does not know is
refused, a query parameter that a route does not know is ignored.

**Errors** are \`{"error":{"code","message","field"?}}\`: a stable code for programs, a message that says what is
accepted for people, and the field that was refused.

**Lists** are plain arrays. Where there is more, \`X-Next-Cursor\` is the \`cursor\` of the next page.

**Versions**: a campaign's \`version\` grows by one with each change. A PUT or PATCH that sends the version it was made
from is refused with 409 \`stale_version\` when another change came first; without one the last change wins.

**Credentials**: with API_TOKENS set, send \`Authorization: Bearer …\`; a browser logs in at /login, for a session in a
cookie. The role \`viewer\` reads, \`operator\` changes as well. Each token may ask 50 times a second, 100 at once.
`.trim();

/** @param credentialsRequired whether API_TOKENS is set */
export function managementApi(credentialsRequired: boolean): DescribedApi {
  const credentials = [{ token: [] }, { session: [] }];
  return {
    title: 'Budget pacer: management API',
    summary: 'Campaigns, budgets, pacing, alerts and what became of the plans.',
    introduction: INTRODUCTION,
    servers: [{ url: '/', description: 'This pod' }],
    tags: {
      Campaigns: 'What is to be spent, when and how.',
      Budgets: 'A campaign’s money: changing it, and where it stands right now.',
      Pacing: 'How a budget is spread over its day.',
      Insight: 'What became of the plans.',
      Alerts: 'What an operator should look at.',
      Audit: 'Who changed what.',
      Service: 'The pod itself, and this description.',
      Session: 'Logging in and out, for browsers.',
    },
    securitySchemes: {
      token: { type: 'http', scheme: 'bearer', description: 'One of API_TOKENS.' },
      session: {
        type: 'apiKey',
        in: 'cookie',
        name: 'pacer_session',
        description: 'What POST /login sets; a browser sends it on its own.',
      },
    },
    security: credentialsRequired ? credentials : [{}, ...credentials],
    headers: ['X-Request-Id'],
    commonErrors,
  };
}

function commonErrors({ params, query, body, access, method }: DescribedRoute): readonly ErrorCode[] {
  const codes: ErrorCode[] = [];
  if (params !== undefined || query !== undefined || body !== undefined) codes.push('invalid_request');
  if (access !== 'open') codes.push('unauthorized', 'rate_limited');
  if (access === 'operator') codes.push('forbidden');
  if (method !== 'GET') codes.push('body_too_large');
  return codes;
}
