/**
 * Whether a port is free. The edges share theirs with SO_REUSEPORT, which would also let a second pod of the
 * same user join silently; an exclusive attempt before they start tells.
 */
import { createServer } from 'node:net';

/** @throws Error with a line for the operator when the address cannot be listened on */
export function checkListenable(variable: string, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'it is in use by another process' : error.message;
      reject(new Error(`${variable}=${port} cannot be listened on at ${host}: ${reason}`));
    });
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()));
  });
}
