import { beforeAll, describe, expect, it } from 'vitest';
import { isInFleet, readConfig } from '../../../src/config/config.ts';
import { schema } from '../../../src/config/schema.ts';
import { redisTargetOf } from '../../../src/sinks/redis/redis-target.ts';
import { readText } from '../../support/deployment-files.ts';
import {
  canRender,
  type Manifest,
  renderOverlay,
  schemaProblem,
  typeProblems,
} from '../../support/kubernetes.ts';

type Labels = Readonly<Record<string, string>>;

interface Port {
  readonly name?: string;
  readonly port?: number | string;
  readonly targetPort?: number | string;
}

interface Container {
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env: readonly { readonly name: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly startupProbe: { readonly httpGet: { readonly port: string } };
  readonly livenessProbe: { readonly httpGet: { readonly port: string } };
  readonly readinessProbe: { readonly httpGet: { readonly port: string } };
}

interface StatefulSetSpec {
  readonly replicas?: number;
  readonly serviceName: string;
  readonly selector: { readonly matchLabels: Labels };
  readonly template: {
    readonly metadata: { readonly labels: Labels };
    readonly spec: {
      readonly securityContext: { readonly runAsUser: number };
      readonly containers: readonly [Container];
    };
  };
  readonly volumeClaimTemplates: readonly { readonly metadata: { readonly name: string } }[];
}

const dockerfile = readText('docker/Dockerfile');
const [, imageVariables = ''] = /^ENV (NODE_ENV(?:.*\\\n)*.*)$/m.exec(dockerfile) ?? [];
const imageEnvironment: Readonly<Record<string, string>> = Object.fromEntries(
  [...imageVariables.matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name ?? '', value ?? '']),
);

function covers(labels: Labels | undefined, selector: Labels): boolean {
  return Object.entries(selector).every(([name, value]) => labels?.[name] === value);
}

describe.skipIf(!canRender()).each(['single', 'production'])('the overlay %s', (overlay) => {
  let manifests: Manifest[];
  let set: StatefulSetSpec;
  let container: Container;

  beforeAll(async () => {
    manifests = await renderOverlay(overlay);
    set = specOf<StatefulSetSpec>('StatefulSet');
    container = set.template.spec.containers[0];
  });

  function all(kind: string): Manifest[] {
    return manifests.filter((manifest) => manifest.kind === kind);
  }

  function specOf<Spec>(kind: string): Spec {
    const [manifest, ...more] = all(kind);
    expect(manifest, `a ${kind}`).toBeDefined();
    expect(more).toEqual([]);
    return manifest?.spec as Spec;
  }

  it('follows the schemas of its kinds', async () => {
    expect(manifests.length).toBeGreaterThan(6);
    for (const manifest of manifests) {
      const problem = await schemaProblem(manifest);
      expect(problem, `${manifest.kind} ${manifest.metadata.name}`).toBeNull();
    }
  });

  it('has no field that its kinds do not have', async () => {
    expect(await typeProblems(manifests)).toBe('');
  });

  it('selects its pods by labels that they have', () => {
    const { labels } = set.template.metadata;
    const selectors: Labels[] = [set.selector.matchLabels];
    for (const { spec } of all('Service')) selectors.push((spec as { selector: Labels }).selector);
    selectors.push(
      specOf<{ selector: { matchLabels: Labels } }>('PodDisruptionBudget').selector.matchLabels,
      specOf<{ podSelector: { matchLabels: Labels } }>('NetworkPolicy').podSelector.matchLabels,
    );
    expect(selectors).toHaveLength(6);
    expect(selectors.filter((selector) => !covers(labels, selector))).toEqual([]);
    expect(all('Service').map(({ metadata }) => metadata.name)).toContain(set.serviceName);
  });

  it('names only ports that the container has, and these are the ones that the image listens on', () => {
    const names = container.ports.map(({ name }) => name);
    const { ingress } = specOf<{ ingress: readonly { ports: readonly Port[] }[] }>('NetworkPolicy');
    const asked = [
      ...all('Service').flatMap(({ spec }) =>
        (spec as { ports: Port[] }).ports.map((port) => port.targetPort),
      ),
      ...ingress.flatMap(({ ports }) => ports.map(({ port }) => port)),
      ...[container.startupProbe, container.livenessProbe, container.readinessProbe].map(
        ({ httpGet }) => httpGet.port,
      ),
    ];
    expect(asked.filter((port) => !names.includes(String(port)))).toEqual([]);
    const config = readConfig({});
    expect(container.ports.map(({ containerPort }) => containerPort)).toEqual([config.port, config.apiPort]);
  });

  it('configures the pacer by variables that it knows, with values that it accepts', () => {
    const [configMap] = all('ConfigMap');
    const [secret] = all('Secret');
    const given = {
      ...configMap?.data,
      ...Object.fromEntries(
        Object.entries(secret?.data ?? {}).map(([name, value]) => [
          name,
          Buffer.from(value, 'base64').toString(),
        ]),
      ),
    };
    const variables = Object.values(schema).map((option) => option.variable as string);
    const names = [...Object.keys(given), ...container.env.map(({ name }) => name)];
    expect(names.length).toBeGreaterThan(3);
    expect(names.filter((name) => !variables.includes(name))).toEqual([]);
    // What an operator puts into the secret of a fleet.
    const fromOutside =
      overlay === 'production'
        ? {
            EDGE_TOKEN: 'e'.repeat(32),
            API_TOKENS: `ada:operator:${'a'.repeat(32)}`,
            DATABASE_URL: 'postgres://p/d',
          }
        : {};
    const config = readConfig({ ...imageEnvironment, ...given, ...fromOutside, NODE_ID: 'pacer-0' });
    expect(isInFleet(config)).toBe(overlay === 'production');
    if (overlay === 'production') expect(redisTargetOf(config)).toMatchObject({ kind: 'sentinel' });
  });

  it('runs as the user of the image, with a volume where the image keeps its data', () => {
    expect(dockerfile).toContain(`\nUSER ${set.template.spec.securityContext.runAsUser}:`);
    const [mount] = container.volumeMounts;
    expect(mount?.mountPath).toBe(imageEnvironment.DATA_DIR);
    expect(set.volumeClaimTemplates.map(({ metadata }) => metadata.name)).toEqual([mount?.name]);
  });

  it.runIf(overlay === 'production')(
    'scales what it runs, and is scraped as the job that the alerts know',
    () => {
      const { scaleTargetRef } = specOf<{ scaleTargetRef: { kind: string; name: string } }>(
        'HorizontalPodAutoscaler',
      );
      expect(scaleTargetRef).toMatchObject({
        kind: 'StatefulSet',
        name: all('StatefulSet')[0]?.metadata.name,
      });
      expect(set.replicas).toBeUndefined();
      const monitor = specOf<{
        jobLabel: string;
        selector: { matchLabels: Labels };
        endpoints: readonly { port: string }[];
      }>('ServiceMonitor');
      const scraped = all('Service').filter(({ metadata }) =>
        covers(metadata.labels, monitor.selector.matchLabels),
      );
      expect(scraped).toHaveLength(1);
      expect(scraped[0]?.metadata.labels?.[monitor.jobLabel]).toBe('pacer');
      const ports = scraped.flatMap(({ spec }) => (spec as { ports: Port[] }).ports.map(({ name }) => name));
      expect(ports).toEqual(expect.arrayContaining(monitor.endpoints.map(({ port }) => port)));
    },
  );
});
