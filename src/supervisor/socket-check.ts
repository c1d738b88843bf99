/**
 * Whether UNIX_SOCKET can be listened on. An edge that listens removes what stands at the path, so this has to tell before
 * what it is: the socket of a process that runs, that of one that was killed, or something else.
 */
import { lstatSync, rmSync, type Stats, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname } from 'node:path';

const ACCEPTED =
  'it takes a path in a folder that may be written to, where nothing stands but the socket of a process that has ended';

/** @throws Error with a line for the operator; the socket of a process that has ended is removed */
export async function checkSocketListenable(path: string): Promise<void> {
  const refusal = await whyNot(path);
  if (refusal === null) return;
  throw new Error(`UNIX_SOCKET=${JSON.stringify(path)} cannot be listened on: ${refusal}; ${ACCEPTED}`);
}

async function whyNot(path: string): Promise<string | null> {
  const folder = dirname(path);
  const parent = statSync(folder, { throwIfNoEntry: false });
  if (parent === undefined) return `the folder ${folder} does not exist`;
  if (!parent.isDirectory()) return `${folder} is no folder`;
  try {
    const standing = lstatSync(path, { throwIfNoEntry: false });
    if (standing !== undefined) {
      if (!standing.isSocket()) return `${kindOf(standing)} stands there`;
      const unheard = await connectError(path);
      if (unheard === null) return 'it is in use by another process';
      if (unheard.code !== 'ECONNREFUSED') return reasonOf(unheard);
      rmSync(path);
    }
    const refused = await listenError(path);
    return refused === null ? null : reasonOf(refused);
  } catch (error) {
    if (error instanceof Error) return reasonOf(error);
    throw error;
  }
}

/** Null when somebody listens there. */
function connectError(path: string): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(null);
    });
    probe.once('error', resolve);
  });
}

/** Null when it can be listened on; the file is gone again. */
function listenError(path: string): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', resolve);
    probe.listen(path, () => probe.close(() => resolve(null)));
  });
}

function kindOf(standing: Stats): string {
  if (standing.isFile()) return 'a file';
  if (standing.isDirectory()) return 'a folder';
  return standing.isSymbolicLink() ? 'a symbolic link' : 'something else than a socket';
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'EACCES' || error.code === 'EPERM') return 'there is no permission';
  if (error.code === 'EROFS') return 'the file system is read-only';
  return error.message;
}
