/** What holds for every route, for the top of the document. */
export const INTRODUCTION = `
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
