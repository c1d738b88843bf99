/**
 * What must not outlive the tests, however they end: servers that they started are processes of their own. Vitest ends its
 * processes with SIGTERM, of which an `exit` listener alone does not hear.
 */

const kills = new Set<() => void>();

function killAll(): void {
  for (const kill of kills) kill();
  kills.clear();
}

process.once('exit', killAll);
process.once('SIGTERM', () => {
  killAll();
  process.kill(process.pid, 'SIGTERM'); // nobody listens any more, so that it ends the process
});

/** Has something killed at the end of the tests. @returns takes that back */
export function killAtEnd(kill: () => void): () => void {
  kills.add(kill);
  return () => kills.delete(kill);
}
