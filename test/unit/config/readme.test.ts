import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { configurationTable } from '../../../src/config/help.ts';
import { schema } from '../../../src/config/schema.ts';

const read = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

test("the README's configuration table is the schema's", () => {
  expect(read('README.md')).toContain(configurationTable());
});

test('.env.example names every variable with its default', () => {
  const example = read('.env.example');
  for (const { variable, fallback } of Object.values(schema)) {
    expect(example).toContain(`#${variable}=${fallback ?? ''}\n`);
  }
});
