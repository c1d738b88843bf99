import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pacer } from '../../support/pacer-command.ts';
import { freePorts } from '../../support/pod.ts';
import { TestPostgres } from '../../support/postgres.ts';

describe('pacer migrate', () => {
  let postgres: TestPostgres;

  beforeAll(async () => {
    postgres = await TestPostgres.start();
  });
  afterAll(() => postgres.remove());

  it('brings an empty database up to date, and finds nothing to do the next time', async () => {
    const env = { DATABASE_URL: await postgres.database('fresh') };
    const first = await pacer(['migrate'], env);
    expect(first).toMatchObject({ code: 0, error: '' });
    expect(first.text).toMatch(/^applied 0001_campaigns\.sql, .*\.sql\n$/);
    expect(await pacer(['migrate'], env)).toEqual({
      code: 0,
      text: 'the database is up to date\n',
      error: '',
    });
  });

  it('tells machines in JSON what it applied', async () => {
    const env = { DATABASE_URL: await postgres.database('machines') };
    const { applied } = JSON.parse((await pacer(['migrate', '--json'], env)).text) as { applied: string[] };
    expect(applied[0]).toBe('0001_campaigns.sql');
    expect(await pacer(['migrate', '--json'], env)).toEqual({ code: 0, text: '{"applied":[]}\n', error: '' });
  });

  it('is done once when several run at the same time', async () => {
    const env = { DATABASE_URL: await postgres.database('contended') };
    const results = await Promise.all([1, 2, 3].map(() => pacer(['migrate', '--json'], env)));
    expect(results.map(({ code, error }) => ({ code, error }))).toEqual(
      Array(3).fill({ code: 0, error: '' }),
    );
    const applied = results.flatMap(({ text }) => (JSON.parse(text) as { applied: string[] }).applied);
    expect(applied).toContain('0001_campaigns.sql');
    expect(new Set(applied).size).toBe(applied.length);
  });

  it('ends with one line and exit code 1 where there is no database, and never shows the password', async () => {
    const [port] = await freePorts();
    const { code, text, error } = await pacer(['migrate'], {
      DATABASE_URL: `postgres://pacer:${postgres.password}@127.0.0.1:${port}/pacer`,
    });
    expect({ code, text }).toEqual({ code: 1, text: '' });
    expect(error).toMatch(/^pacer: .+\n$/);
    expect(error).not.toContain(postgres.password);
    expect((await pacer(['migrate'])).error).toContain('DATABASE_URL is not set');
  });

  it('refuses what it does not know before it touches the database', async () => {
    expect(await pacer(['migrate', '--dry-run'])).toMatchObject({
      code: 1,
      text: '',
      error: "pacer: Unknown option '--dry-run'\n",
    });
  });
});
