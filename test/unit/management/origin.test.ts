import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDashboardFiles } from '../../../src/management/dashboard-files.ts';
import { isLocalName, isSameOrigin } from '../../../src/management/origin.ts';

describe('a name that this machine is called by', () => {
  it('is localhost, an address, or a name that no public name server has', () => {
    const names = ['localhost', 'LOCALHOST:8000', 'pacer.localhost:8000', '127.0.0.1', '127.0.0.1:8000'];
    for (const host of [...names, '[::1]:8000', '[::1]', '192.168.1.5:80', 'pacer:8000']) {
      expect(isLocalName({ host }), host).toBe(true);
    }
    expect(isLocalName({})).toBe(true);
  });

  it('is no name that a page of another site can have', () => {
    const names = [
      'evil.example',
      'evil.example:8000',
      '127.0.0.1.evil.example',
      'localhost.evil.example',
      '',
    ];
    for (const host of [
      ...names,
      'localhost:8000@evil.example',
      'a.b',
      '127.0.0.1:x',
      'localhost:8000, evil.example',
    ]) {
      expect(isLocalName({ host }), host).toBe(false);
    }
  });
});

describe('the page of a request', () => {
  it('is ours by the word of the browser, or when its origin is the host that was asked', () => {
    const host = 'pacer.example:8000';
    expect(isSameOrigin({ host, 'sec-fetch-site': 'same-origin' })).toBe(true);
    expect(isSameOrigin({ host, 'sec-fetch-site': 'same-site', origin: `https://${host}` })).toBe(false);
    expect(isSameOrigin({ host, origin: `https://${host}` })).toBe(true);
    for (const origin of ['null', 'https://pacer.example', `https://${host}.evil.example`, 'file://', 'x']) {
      expect(isSameOrigin({ host, origin }), origin).toBe(false);
    }
  });
});

describe('the files of the dashboard', () => {
  it('are files, and not what a link leads to', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pacer-files-'));
    try {
      writeFileSync(join(folder, 'index.html'), 'page');
      writeFileSync(join(folder, '.env'), 'EDGE_TOKEN=x');
      symlinkSync('/etc/hostname', join(folder, 'host.js'));
      symlinkSync('/etc', join(folder, 'etc'));
      expect([...readDashboardFiles(folder).keys()]).toEqual(['/index.html']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
