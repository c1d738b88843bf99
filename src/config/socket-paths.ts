/**
 * Where edges listen when UNIX_SOCKET is set. The kernel spreads the connections of one port over threads, but not those
 * of one unix domain socket, so each edge has a path of its own: the first edge the given one, edge n the same with `.n`
 * behind it.
 */

/** The kernel's field for the path has 108 bytes; the last is a zero. */
export const SOCKET_PATH_BYTES_MAX = 107;

/** @param given UNIX_SOCKET, as an absolute path */
export function socketPath(given: string, edge: number): string {
  return edge === 0 ? given : `${given}.${edge}`;
}

/** Those of all edges. */
export function socketPaths(given: string, edges: number): string[] {
  return Array.from({ length: edges }, (_, edge) => socketPath(given, edge));
}
