/** What the embedded database's thread and the thread that started it say to each other. */

/** `workerData` of the database thread. */
export interface DatabaseThreadData {
  /** The pod's data folder; the database lives in `postgres` below it. */
  readonly dataDir: string;
}

export type DatabaseThreadRequest = { readonly type: 'stop' };

export type DatabaseThreadReport =
  /** Connections are accepted on this unix socket from now on. */
  | { readonly type: 'ready'; readonly socketPath: string }
  /** Something failed that clients do not see; the thread goes on. For the log. */
  | { readonly type: 'warning'; readonly message: string }
  /** The thread could not start, or cannot go on; it ends by itself with exit code 1. */
  | { readonly type: 'failed'; readonly message: string };
