import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/domain/app-error.ts';
import { slotOf } from '../../../src/sinks/redis/key-slot.ts';
import {
  describeTarget,
  parseRedisTarget,
  type RedisTarget,
  type RedisVariables,
} from '../../../src/sinks/redis/redis-target.ts';

const UNSET: RedisVariables = {
  url: null,
  addr: null,
  sentinels: null,
  masterName: null,
  clusterNodes: null,
};
const NO_LOGIN = { username: null, password: null, database: 0, tls: false };

function parse(variables: Partial<RedisVariables>): RedisTarget | null {
  return parseRedisTarget({ ...UNSET, ...variables });
}

function refusalOf(variables: Partial<RedisVariables>): AppError {
  try {
    parse(variables);
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error('it was accepted');
}

describe('the Redis that the configuration names', () => {
  it('is none when nothing is set, and empty texts are nothing', () => {
    expect(parse({})).toBeNull();
    expect(parse({ url: '', addr: '', sentinels: '', masterName: '', clusterNodes: '' })).toBeNull();
  });

  it('is one server by its URL, with the default port', () => {
    expect(parse({ url: 'redis://cache' })).toEqual({
      kind: 'single',
      node: { host: 'cache', port: 6379 },
      login: NO_LOGIN,
    });
  });

  it('takes user, password, database and TLS from the URL', () => {
    expect(parse({ url: 'rediss://pacer:p%40ss%2Fword@10.0.0.1:7000/3' })).toEqual({
      kind: 'single',
      node: { host: '10.0.0.1', port: 7000 },
      login: { username: 'pacer', password: 'p@ss/word', database: 3, tls: true },
    });
    expect(parse({ url: 'redis://:secret@[::1]:7000' })).toMatchObject({
      node: { host: '::1', port: 7000 },
      login: { username: null, password: 'secret' },
    });
  });

  it('is one server by its address', () => {
    expect(parse({ addr: 'cache:7001' })).toEqual({
      kind: 'single',
      node: { host: 'cache', port: 7001 },
      login: NO_LOGIN,
    });
    expect(parse({ addr: '[fe80::1]:7001' })).toMatchObject({ node: { host: 'fe80::1', port: 7001 } });
  });

  it('is a master behind Sentinels, with the login of the URL', () => {
    expect(parse({ sentinels: 'a:26380, b', masterName: 'budgets', url: 'rediss://:pw@unused' })).toEqual({
      kind: 'sentinel',
      sentinels: [
        { host: 'a', port: 26_380 },
        { host: 'b', port: 26_379 },
      ],
      masterName: 'budgets',
      login: { username: null, password: 'pw', database: 0, tls: true },
    });
  });

  it('is a cluster by some of its nodes', () => {
    expect(parse({ clusterNodes: 'a:7000,b:7001', url: 'redis://:pw@unused' })).toEqual({
      kind: 'cluster',
      nodes: [
        { host: 'a', port: 7000 },
        { host: 'b', port: 7001 },
      ],
      login: { username: null, password: 'pw', database: 0, tls: false },
    });
  });

  it.each([
    ['REDIS_URL', { url: 'http://cache' }],
    ['REDIS_URL', { url: 'redis://' }],
    ['REDIS_URL', { url: 'redis://cache:0' }],
    ['REDIS_URL', { url: 'redis://cache:70000' }],
    ['REDIS_URL', { url: 'redis://cache/one' }],
    ['REDIS_URL', { url: 'redis://cache/1/2' }],
    ['REDIS_URL', { url: 'redis://cache?db=1' }],
    ['REDIS_URL', { url: 'redis://:%ff@cache' }],
    ['REDIS_URL', { url: 'redis://cache/2', clusterNodes: 'a:1' }],
    ['REDIS_ADDR', { addr: 'a:1,b:2' }],
    ['REDIS_ADDR', { addr: 'redis://a:1' }],
    ['REDIS_ADDR', { addr: 'a:99999' }],
    ['REDIS_ADDR', { addr: 'a:1', url: 'redis://a' }],
    ['REDIS_ADDR', { addr: 'a:1', clusterNodes: 'a:1' }],
    ['REDIS_SENTINELS', { sentinels: 'a:1,,b:2', masterName: 'm' }],
    ['REDIS_SENTINELS', { sentinels: 'a:1', masterName: 'm', clusterNodes: 'a:1' }],
    ['REDIS_SENTINELS', { masterName: 'm' }],
    ['REDIS_MASTER_NAME', { sentinels: 'a:1' }],
    ['REDIS_CLUSTER_NODES', { clusterNodes: 'a:b' }],
  ])('is refused by the name of %s when it is set to %o', (field, variables) => {
    const refusal = refusalOf(variables);
    expect(refusal).toMatchObject({ code: 'invalid_request', field });
    expect(refusal.message).toMatch(new RegExp(`^${field} must `));
  });

  it('is described without user and password, and no refusal repeats them', () => {
    const url = 'rediss://pacer:hunter2@cache:7000/1';
    const targets = [
      parse({ url }),
      parse({ url, sentinels: 'a:1', masterName: 'm' }),
      parse({ url: 'redis://pacer:hunter2@cache', clusterNodes: 'a:1' }),
    ];
    for (const target of targets) {
      if (target === null) throw new Error('it was not read');
      expect(describeTarget(target)).not.toMatch(/pacer|hunter2/);
    }
    expect(refusalOf({ url: `${url}/x` }).message).not.toMatch(/hunter2/);
  });
});

describe('the slot of a hash tag', () => {
  it('is the one of the Redis Cluster specification', () => {
    expect(slotOf('123456789')).toBe(0x31c3);
    expect(slotOf('foo')).toBe(12_182);
    expect(slotOf('user1000')).toBe(3443);
    expect(slotOf('')).toBe(0);
  });
});
