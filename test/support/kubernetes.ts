/** Renders an overlay of docker/kubernetes, and checks manifests against the API's schemas and types. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { yamlDocuments } from './deployment-files.ts';
import { ROOT } from './repository.ts';

const run = promisify(execFile);

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

/** kubectl renders overlays since 1.21 (Debian's package is older). */
export function canRender(): boolean {
  try {
    const said = execFileSync('kubectl', ['version', '--client', '--output=json'], { stdio: 'pipe' });
    const { clientVersion } = JSON.parse(said.toString()) as { clientVersion: { minor: string } };
    return Number.parseInt(clientVersion.minor, 10) >= 21;
  } catch {
    return false;
  }
}

export async function renderOverlay(name: string): Promise<Manifest[]> {
  const { stdout } = await run('kubectl', ['kustomize', join(ROOT, 'docker/kubernetes/overlays', name)]);
  return yamlDocuments<Manifest>(stdout);
}

function moduleOf({ apiVersion }: Manifest): string {
  if (apiVersion.startsWith('monitoring.coreos.com/'))
    return `@kubernetes-models/prometheus-operator/${apiVersion}`;
  return `kubernetes-models/${apiVersion}`;
}

interface Model {
  validate(): void;
}

/** What the schema of its kind has against a manifest; null when nothing. */
export async function schemaProblem(manifest: Manifest): Promise<string | null> {
  const models = (await import(moduleOf(manifest))) as Readonly<
    Record<string, (new (manifest: Manifest) => Model) | undefined>
  >;
  const Kind = models[manifest.kind];
  if (Kind === undefined) return `there is no kind ${manifest.kind} in ${manifest.apiVersion}`;
  try {
    new Kind(manifest).validate();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What the type checker has against them: schemas take unknown fields, types of literals do not. */
export async function typeProblems(manifests: readonly Manifest[]): Promise<string> {
  const folder = await mkdtemp(join(ROOT, 'node_modules/.kubernetes-test-'));
  try {
    const lines = manifests.map((manifest, at) => {
      const type = `import('${moduleOf(manifest)}').I${manifest.kind}`;
      return `export const manifest${at}: ${type} = ${JSON.stringify(manifest, null, 1)};`;
    });
    const file = join(folder, 'manifests.ts');
    await writeFile(file, lines.join('\n'));
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--ignoreConfig', '--types', 'node'];
    const modules = ['--module', 'nodenext', '--target', 'es2023'];
    await run(process.execPath, [
      join(ROOT, 'node_modules/typescript/bin/tsc'),
      ...options,
      ...modules,
      file,
    ]);
    return '';
  } catch (error) {
    return (error as { readonly stdout?: string }).stdout ?? String(error);
  } finally {
    await rm(folder, { recursive: true });
  }
}
