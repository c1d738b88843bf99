/**
 * Listens on a unix domain socket, for bidders in the same pod. uWebSockets.js removes whatever stands at the path: that
 * is how the socket of a killed process goes, and why nothing else may stand there.
 */

import { type TemplatedApp, type us_listen_socket, us_listen_socket_close } from 'uWebSockets.js';
import { chmodSync, lstatSync, rmSync } from 'node:fs';

/** Connecting wants write permission: the process's user and its group have it, whatever the umask. */
const MODE = 0o660;

export class UnixListener {
  private readonly path: string;
  private readonly socket: us_listen_socket;
  /** Which file is ours: one that another process put there later is left alone. */
  private readonly own: string | null;

  private constructor(path: string, socket: us_listen_socket) {
    this.path = path;
    this.socket = socket;
    chmodSync(path, MODE);
    this.own = fileAt(path);
  }

  /** @returns null when the path cannot be listened on */
  static open(app: TemplatedApp, path: string): UnixListener | null {
    const standing = lstatSync(path, { throwIfNoEntry: false });
    if (standing !== undefined && !standing.isSocket()) return null;
    const socket = listen(app, path);
    return socket === false ? null : new UnixListener(path, socket);
  }

  /** Takes no more connections, and removes the file; those that are open stay. */
  close(): void {
    // Removed first: after the close another process may listen there.
    if (this.own !== null && fileAt(this.path) === this.own) rmSync(this.path, { force: true });
    us_listen_socket_close(this.socket);
  }
}

/** What tells a file from others at its path, those before and after it: inodes are used again. Null when there is none. */
function fileAt(path: string): string | null {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev}:${found.ino}:${found.mtimeNs}`;
}

/** uWebSockets.js calls back before it returns; with false when the kernel refuses, whatever its types say. */
function listen(app: TemplatedApp, path: string): us_listen_socket | false {
  const answers: (us_listen_socket | false)[] = [];
  app.listen_unix((socket) => {
    answers.push(socket);
  }, path);
  return answers[0] ?? false;
}
