import { expect, test } from 'vitest';
import { EdgeToken } from '../../../src/edge/edge-token.ts';

test('the edge token admits its header alone, whatever the letters of the scheme', () => {
  const token = new EdgeToken('Open-Sesame');
  for (const header of ['Bearer Open-Sesame', 'bearer Open-Sesame', 'BEARER Open-Sesame']) {
    expect(token.admits(header), header).toBe(true);
  }
  for (const header of [
    '',
    'Bearer',
    'Bearer ',
    'Open-Sesame',
    'Basic  Open-Sesame',
    'Bearer open-sesame',
    'Bearer Open-Sesam',
    'Bearer Open-Sesame ',
    'Bearer  Open-Sesame',
    'Bearer\tOpen-Sesame',
    'Bearer Open-Sesamé',
    `Bearer ${'x'.repeat(100_000)}`,
  ]) {
    expect(token.admits(header), header.slice(0, 40)).toBe(false);
  }
  expect(token.admits('Bearer Open-Sesame')).toBe(true);
});
