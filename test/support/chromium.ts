/** Chromium for a test, with a profile of its own and without the network. */
import { type Browser, chromium } from 'playwright-core';
import { ensureTool } from './system-tool.ts';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function startChromium(): Promise<Browser> {
  await ensureTool('chromium', 'chromium');
  return chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: ARGUMENTS });
}
