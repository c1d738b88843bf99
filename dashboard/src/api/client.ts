/** Calls of the management API, from the page's own origin. Refusals are ApiErrors that keep the API's own words. */

export class ApiError extends Error {
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly code: string;
  /** The field that was refused, or null. */
  readonly field: string | null;

  constructor(status: number, code: string, message: string, field: string | null = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly nextCursor: string | null;
}

const ANSWER_DEADLINE_MS = 20_000;

async function send(method: string, path: string, body?: unknown): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiError(0, 'unreachable', 'The server did not answer. Nothing is known to have changed.');
  }
  if (response.ok) return response;
  throw await refusalOf(response);
}

async function refusalOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string; field?: string } };
    return new ApiError(response.status, error.code, error.message, error.field ?? null);
  } catch {
    return new ApiError(response.status, 'unknown', `The server answered ${response.status}.`);
  }
}

/** @throws ApiError */
export async function get<Body>(path: string): Promise<Body> {
  return (await (await send('GET', path)).json()) as Body;
}

/** @throws ApiError */
export async function getPage<Row>(path: string): Promise<Page<Row>> {
  const response = await send('GET', path);
  return { rows: (await response.json()) as Row[], nextCursor: response.headers.get('x-next-cursor') };
}

/** @throws ApiError */
export async function change<Body>(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<Body> {
  return (await (await send(method, path, body)).json()) as Body;
}

export const pathOf = (prefix: string, id: string): string => `${prefix}/${encodeURIComponent(id)}`;

export function messageOf(error: unknown): string {
  return error instanceof Error ? sentence(error.message) : String(error);
}

/** Begins with a capital unless with the name of a field, and ends with a stop. */
function sentence(text: string): string {
  const ended = /[.!?]$/.test(text) ? text : `${text}.`;
  return /^[a-z]+(_|\[|\.)/.test(ended) ? ended : ended.charAt(0).toUpperCase() + ended.slice(1);
}
