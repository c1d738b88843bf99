/**
 * A private folder for the database's socket, outside the data folder because the path of a unix socket is
 * limited to about 107 bytes. Its path is noted in the data folder: a killed process cannot remove it, the
 * next start does.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'pacer-postgres-';
const NOTE = 'postgres.socket-folder';
const SOCKET = 's';
const SOCKET_PATH_BYTES_MAX = 100;
const FALLBACK_FOLDER = '/tmp';

/** Makes the folder, readable by this user only, and returns the path for the socket in it. */
export async function makeSocketFolder(dataDir: string): Promise<string> {
  await removeSocketFolder(dataDir);
  const suffixLength = join('/', `${PREFIX}123456`, SOCKET).length;
  const fits = Buffer.byteLength(tmpdir()) + suffixLength <= SOCKET_PATH_BYTES_MAX;
  const folder = await mkdtemp(join(fits ? tmpdir() : FALLBACK_FOLDER, PREFIX));
  await writeFile(join(dataDir, NOTE), folder, { mode: 0o600 });
  return join(folder, SOCKET);
}

/** Removes the folder that was made last, if it is still there. */
export async function removeSocketFolder(dataDir: string): Promise<void> {
  const note = join(dataDir, NOTE);
  const folder = await readFile(note, 'utf8').catch(() => '');
  // Only what this module can have made, in case the note was damaged.
  if (/^\/.*\/pacer-postgres-[A-Za-z0-9]{6}$/.test(folder))
    await rm(folder, { recursive: true, force: true });
  await rm(note, { force: true });
}
