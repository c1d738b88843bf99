/** Connections to one pod for as long as the soak runs, wherever the pod listens after it was started again. */
import type { TestPod } from '../../test/support/pod.ts';
import { HttpClient, type Reply } from '../../test/support/pod-http.ts';
import type { Books } from './books.ts';
import { type Outages, podPart } from './outages.ts';

const CONNECTIONS = 32;

export class PodLine {
  readonly at: number;
  readonly pod: TestPod;
  readonly #books: Books;
  readonly #outages: Outages;
  readonly #clients = new Map<'core' | 'api', HttpClient>();

  constructor(at: number, pod: TestPod, books: Books, outages: Outages) {
    this.at = at;
    this.pod = pod;
    this.#books = books;
    this.#outages = outages;
  }

  get isAway(): boolean {
    return this.#outages.isAway(podPart(this.at));
  }

  /** Whether what it fails to do now is no wonder. */
  get isExcused(): boolean {
    return this.#outages.excuses(podPart(this.at));
  }

  /** Asks on the bidders' port; null when there was no answer. */
  core<Body = unknown>(method: string, path: string, body?: unknown): Promise<Reply<Body> | null> {
    return this.#ask<Body>(this.#client('core', this.pod.port), method, path, body);
  }

  /** Asks on the operators' port; null when there was no answer. */
  api<Body = unknown>(method: string, path: string, body?: unknown): Promise<Reply<Body> | null> {
    return this.#ask<Body>(this.#client('api', this.pod.apiPort), method, path, body);
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }

  async #ask<Body>(
    client: HttpClient,
    method: string,
    path: string,
    body: unknown,
  ): Promise<Reply<Body> | null> {
    try {
      const reply = await client.request<Body>(method, path, body);
      this.#books.tally.answers++;
      return reply;
    } catch (error) {
      this.#books.tally.cutOff++;
      if (!this.isExcused) this.#books.problem(`pod ${this.at}: ${method} ${path}: ${String(error)}`);
      return null;
    }
  }

  #client(kind: 'core' | 'api', port: number): HttpClient {
    const known = this.#clients.get(kind);
    if (known?.port === port) return known;
    known?.close();
    const client = new HttpClient(port, CONNECTIONS);
    this.#clients.set(kind, client);
    return client;
  }
}
