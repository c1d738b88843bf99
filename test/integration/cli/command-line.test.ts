import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pacer } from '../../support/pacer-command.ts';
import { freePorts } from '../../support/pod.ts';

it.each([[['--help']], [['-h']], [['help']], [['validate', '--help']]])(
  '%j prints the help',
  async (words) => {
    const { code, text, error } = await pacer(words);
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(text).toMatch(/^pacer \d+\.\d+\.\d+: /);
  },
);

it.each([
  [['start', '--frob'], "Unknown option '--frob'"],
  [['start', 'demo'], "Unexpected argument 'demo'"],
  [['demo', '--frob'], "Unknown option '--frob'"],
  [['--demo', 'frob'], "Unexpected argument 'frob'"],
  [['frob'], 'there is no command "frob"; pacer --help lists them'],
])('%j ends with one line that names what is not known, and starts no pod', async (words, says) => {
  const folder = await mkdtemp(join(tmpdir(), 'pacer-test-words-'));
  const [port, apiPort] = await freePorts();
  const result = await pacer(words, { DATA_DIR: folder, PORT: port, API_PORT: apiPort });
  await rm(folder, { recursive: true, force: true });
  expect(result).toMatchObject({ code: 1, text: '' });
  expect(result.error).toContain(says);
  expect(result.error).toMatch(/^pacer: .+\n$/);
});
