/**
 * Writes what the running server is made of: a CycloneDX bill of materials of the production dependencies, as the lock
 * file has them. `npm run sbom [-- FILE]`, build/sbom.cdx.json when no file is named.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = resolve(process.argv[2] ?? join(root, 'build', 'sbom.cdx.json'));
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const wanted = [
  'sbom',
  '--sbom-format',
  'cyclonedx',
  '--sbom-type',
  'application',
  '--omit',
  'dev',
  '--package-lock-only',
];
const { status, stdout, stderr } = spawnSync('npm', wanted, {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});
if (status !== 0) throw new Error(`npm sbom failed: ${stderr}`);

const bill = JSON.parse(stdout);
// npm names the application by its folder.
bill.metadata.component.name = name;
if (bill.metadata.component.version !== version || bill.components.length === 0) {
  throw new Error('npm sbom told of something else than this package');
}
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(bill, null, 2)}\n`);
process.stdout.write(`${file}: CycloneDX ${bill.specVersion}, ${bill.components.length} components\n`);
