/** A webhook that a test lets take, refuse, delay or ignore what is sent to it. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly id: string;
  readonly path: string;
  readonly body: { readonly type: string; readonly data: Readonly<Record<string, unknown>> };
}

/** A status, or what to do with the response. */
export type Behaviour = number | ((response: ServerResponse) => void);

export class TestWebhook {
  readonly received: Received[] = [];
  behaviour: Behaviour = 204;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      request.on('end', () => {
        const { headers, url = '' } = request;
        const body = JSON.parse(text) as Received['body'];
        this.received.push({ headers, text, id: String(headers['webhook-id']), path: url, body });
        if (typeof this.behaviour === 'number') response.writeHead(this.behaviour).end();
        else this.behaviour(response);
      });
    });
  }

  static open(): Promise<TestWebhook> {
    const server = createServer();
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve(new TestWebhook(server)));
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The URL, with a secret in each place where one may stand. */
  get url(): string {
    return `http://hook-user:hook-password@127.0.0.1:${this.port}/hook-path?key=hook-key`;
  }

  ids(): string[] {
    return this.received.map(({ id }) => id);
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
