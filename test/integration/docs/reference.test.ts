/** The tables of docs/reference.md beside what a pod itself says it answers. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readText } from '../../support/deployment-files.ts';
import { TestPod } from '../../support/pod.ts';

let pod: TestPod;

beforeAll(async () => {
  pod = await TestPod.start();
});

afterAll(async () => {
  await pod.remove();
});

/** `GET /campaigns/{}` for each method and path of a table row's first cell, such as "GET, PUT /campaigns/{id}". */
function operationsOf(cell: string): string[] {
  const found: string[] = [];
  let methods: string[] = [];
  let isOver = false;
  for (const [word] of cell
    .replaceAll('WS ', 'GET ')
    .matchAll(/\b(?:GET|POST|PUT|PATCH|DELETE)\b|\/[^\s,|]*/g)) {
    if (word.startsWith('/')) found.push(...methods.map((method) => `${method} ${plain(word)}`));
    else methods = isOver ? [word] : [...methods, word];
    isOver = word.startsWith('/');
  }
  return found;
}

function plain(path: string): string {
  return path.replaceAll(/\{\w+\}/g, '{}');
}

it('has every operation of both ports', async () => {
  const rows = [...readText('docs/reference.md').matchAll(/^\| ([A-Z]+\b[^|]*) \|/gm)];
  const listed = rows.flatMap(([, cell = '']) => operationsOf(cell));
  const answered: string[] = [];
  for (const page of ['/openapi.json', '/openapi-core.json']) {
    const { body } = await pod.api.request<{ paths: Record<string, object> }>('GET', page);
    for (const [path, operations] of Object.entries(body.paths)) {
      answered.push(...Object.keys(operations).map((method) => `${method.toUpperCase()} ${plain(path)}`));
    }
  }
  expect(answered.length).toBeGreaterThan(30);
  expect(answered.filter((operation) => !listed.includes(operation))).toEqual([]);
});
