/**
 * The files of the page at /docs, beside this module in dist/: our own and Swagger UI's, put there by the build. Each is
 * read and compressed when it is first asked for, and kept.
 */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const FOLDER = new URL('./page/', import.meta.url);

const CONTENT_TYPES = {
  'index.html': 'text/html; charset=utf-8',
  'docs.css': 'text/css; charset=utf-8',
  'docs.js': 'text/javascript; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
} as const;

export type PageFileName = keyof typeof CONTENT_TYPES;

export const PAGE_FILES = Object.keys(CONTENT_TYPES) as readonly PageFileName[];

export interface PageFile {
  readonly contentType: string;
  readonly bytes: Buffer;
  readonly gzipped: Buffer;
}

export class PageFiles {
  readonly #files = new Map<PageFileName, Promise<PageFile>>();

  /** @throws Error where the page was not built. */
  read(name: PageFileName): Promise<PageFile> {
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const file = readPageFile(name);
    this.#files.set(name, file);
    file.catch(() => this.#files.delete(name));
    return file;
  }
}

async function readPageFile(name: PageFileName): Promise<PageFile> {
  const bytes = await readFile(new URL(name, FOLDER));
  return { contentType: CONTENT_TYPES[name], bytes, gzipped: await promisify(gzip)(bytes) };
}
