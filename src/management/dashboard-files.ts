/** The built dashboard, read once into memory with a compressed copy of each file: a few, and small. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';

export interface DashboardFile {
  readonly contentType: string;
  readonly bytes: Buffer;
  /** null where compressing gains nothing. */
  readonly gzipped: Buffer | null;
  /** Whether its name changes with its content, so that a browser may keep it for good. */
  readonly isImmutable: boolean;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
/** Files of these kinds are compressed as they are. */
const COMPACT: readonly string[] = ['.woff2'];

/** Each file by its path, `/assets/index-….js`. Empty where no dashboard was built. */
export function readDashboardFiles(folder: string): ReadonlyMap<string, DashboardFile> {
  const files = new Map<string, DashboardFile>();
  for (const path of pathsBelow(folder)) {
    const contentType = CONTENT_TYPES[extname(path)];
    if (contentType === undefined) continue;
    const bytes = readFileSync(join(folder, path));
    files.set(`/${path.replaceAll('\\', '/')}`, {
      contentType,
      bytes,
      gzipped: COMPACT.includes(extname(path)) ? null : gzipSync(bytes, { level: 9 }),
      isImmutable: path.startsWith('assets'),
    });
  }
  return files;
}

function pathsBelow(folder: string): readonly string[] {
  try {
    // A link could lead anywhere; the build makes none.
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
