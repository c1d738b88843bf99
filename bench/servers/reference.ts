/** The reference servers, each in its own process: one parses every body, the other does not. */
import { fileURLToPath } from 'node:url';
import type { Workshop } from './workshop.ts';

const entry = fileURLToPath(new URL('./reference-process.js', import.meta.url));

export interface RunningServer {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** @param work `parse`: JSON.parse of every body, then a constant; `constant`: the constant alone */
export async function startReference(workshop: Workshop, work: 'parse' | 'constant'): Promise<RunningServer> {
  const server = workshop.launch({ name: `reference (${work})`, args: [entry, work], env: {} });
  const { port } = (await server.firstMessage()) as { readonly port: number };
  return { url: `http://127.0.0.1:${port}`, pid: server.pid, stop: () => server.stop() };
}
