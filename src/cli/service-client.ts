/**
 * How the commands talk to a running pacer: JSON over a few kept connections, with a deadline for each answer.
 * A refusal is an answer; what throws is that nobody answered.
 */
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export interface Answer {
  readonly status: number;
  /** The JSON of the body; undefined when it is none. */
  readonly body: unknown;
  readonly text: string;
  readonly milliseconds: number;
}

export interface ServiceAddress {
  /** `http(s)://host:port` */
  readonly url: string;
  /** Sent as Authorization: Bearer. */
  readonly token: string | null;
}

export class ServiceClient {
  readonly url: string;
  private readonly base: URL;
  private readonly token: string | null;
  private readonly timeoutMs: number;
  private readonly agent: HttpAgent;

  constructor({ url, token }: ServiceAddress, { timeoutMs = 5_000, connectionsMax = 8 } = {}) {
    this.url = url;
    this.base = new URL(url);
    this.token = token;
    this.timeoutMs = timeoutMs;
    const options = { keepAlive: true, maxSockets: connectionsMax };
    this.agent = this.base.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  }

  /** @throws Error that says who did not answer and why */
  request(method: string, path: string, body?: unknown): Promise<Answer> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers: { [name: string]: string | number; authorization?: string } = {};
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (body !== undefined) headers['content-length'] = Buffer.byteLength(text);
    if (this.token !== null) headers.authorization = `Bearer ${this.token}`;
    const send = this.base.protocol === 'https:' ? httpsRequest : httpRequest;
    const startedAt = performance.now();
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void =>
        reject(new Error(`${method} ${this.url}${path}: ${reasonOf(error)}`));
      const sent = send(new URL(path, this.base), { method, headers, agent: this.agent }, (reply) => {
        const parts: Buffer[] = [];
        reply.on('data', (part: Buffer) => parts.push(part));
        reply.once('error', failed);
        reply.once('end', () => {
          clearTimeout(deadline);
          const given = Buffer.concat(parts).toString('utf8');
          const milliseconds = performance.now() - startedAt;
          resolve({ status: reply.statusCode ?? 0, body: jsonOf(given), text: given, milliseconds });
        });
      });
      const deadline = setTimeout(() => {
        sent.destroy(new Error(`no answer within ${this.timeoutMs} ms`));
      }, this.timeoutMs);
      sent.once('error', (error) => {
        clearTimeout(deadline);
        failed(error);
      });
      sent.end(text);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

/** A connection that several addresses refused says so only in its parts. */
function reasonOf(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map(String).join('; ');
  return error.message;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An object's field, or undefined where there is no such object. */
export function fieldOf(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : undefined;
}
