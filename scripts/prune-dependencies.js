/**
 * Removes from node_modules what this platform and a running pod never read: native binaries of other platforms and
 * of other Node versions, source maps, type declarations, the embedded Postgres's unused parts, and OpenTelemetry's copies. Run after
 * `npm ci --omit=dev` on the platform that the result is for; the container image does.
 */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../node_modules', import.meta.url));
const ownBinary = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
const ownLibc = process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';

/** @param path relative to node_modules */
function isUnused(path) {
  const name = basename(path);
  if (name.startsWith('uws_') && name.endsWith('.node')) return name !== ownBinary;
  // lmdb's: node.abi127.glibc.node, node.napi.musl.node
  const [, abi, libc] = /^node\.(abi\d+|napi)(?:\.(glibc|musl))?\.node$/.exec(name) ?? [];
  if (abi !== undefined) {
    const isOtherAbi = abi !== 'napi' && abi !== `abi${process.versions.modules}`;
    return isOtherAbi || (libc !== undefined && libc !== ownLibc);
  }
  if (/\.(map|d\.ts|d\.mts|d\.cts|tsbuildinfo)$/.test(name)) return true;
  // OpenTelemetry comes three times over: it is loaded as CommonJS, from build/src.
  if (/^@opentelemetry\/[^/]+\/build\/(esm|esnext)\//.test(path.replaceAll(sep, '/'))) return true;
  // Extensions and the CommonJS half: the embedded database is imported, and creates no extension.
  const inPglite = path.startsWith(join('@electric-sql', 'pglite') + sep);
  return inPglite && /\.(tar\.gz|cjs)$/.test(name);
}

let files = 0;
let bytes = 0;
for (const path of readdirSync(root, { recursive: true })) {
  if (!isUnused(path)) continue;
  const file = join(root, path);
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile()) continue;
  files++;
  bytes += found.size;
  rmSync(file);
}
if (!readdirSync(join(root, 'uWebSockets.js', 'dist', 'bin')).includes(ownBinary)) {
  throw new Error(`uWebSockets.js has no ${ownBinary}: this platform or Node version is not supported`);
}
process.stdout.write(`removed ${files} files, ${Math.round(bytes / 1e6)} MB\n`);
