/** The bare reference servers, each in its own process: one parses every body, the other does not. */
import { fileURLToPath } from 'node:url';
import type { Workshop } from './workshop.ts';

const entry = fileURLToPath(new URL('./reference-process.js', import.meta.url));

export interface RunningServer {
  readonly url: string;
  /** Of the process that answers. */
  readonly pid: number;
  /** That one and those it cannot answer without. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/**
 * @param work `parse`: JSON.parse of every body, then a constant; `constant`: the constant alone
 * @param batch decisions or results in the answer to a batch
 * @param campaigns also touches the memory of one of so many with each request; 0 = none
 */
export async function startReference(
  workshop: Workshop,
  work: 'parse' | 'constant',
  batch = 100,
  campaigns = 0,
): Promise<RunningServer> {
  const server = workshop.launch({
    name: `reference (${work})`,
    args: [entry, work, String(batch), String(campaigns)],
    env: {},
  });
  const { port } = (await server.firstMessage()) as { readonly port: number };
  const { pid } = server;
  return { url: `http://127.0.0.1:${port}`, pid, pids: [pid], stop: () => server.stop() };
}
