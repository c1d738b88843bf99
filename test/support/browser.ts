/**
 * Chromium for tests of the dashboard: one a test file, with a folder of its own, and pages that remember whatever a
 * person would have seen go wrong in the console.
 */
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { TestPod } from './pod.ts';
import { ensureTool } from './system-tool.ts';

const EXECUTABLE = '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** Where pictures of the pages are left for people to look at. */
const SCREENSHOTS = fileURLToPath(new URL('../../build/screenshots/', import.meta.url));
const DEADLINE_MS = 30_000;
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const WCAG_AA = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

export type Theme = 'light' | 'dark';

export const WIDE = { width: 1280, height: 860 };
export const NARROW = { width: 390, height: 844 };

/** A page, and what went wrong in it. */
export interface TestPage {
  readonly page: Page;
  /** Errors of the console and of scripts, but for requests that the server did not answer. */
  readonly problems: string[];
  readonly context: BrowserContext;
}

export class TestBrowser {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start(): Promise<TestBrowser> {
    await ensureTool('chromium', 'chromium');
    return new TestBrowser(await chromium.launch({ executablePath: EXECUTABLE, args: FLAGS }));
  }

  /** Opens the dashboard at a place such as `#/campaigns/a`. */
  async open(
    pod: TestPod,
    place = '',
    options: { readonly theme?: Theme; readonly viewport?: { width: number; height: number } } = {},
  ): Promise<TestPage> {
    const { theme = 'light', viewport = WIDE } = options;
    const context = await this.#browser.newContext({ viewport, colorScheme: theme, locale: 'en-US' });
    context.setDefaultTimeout(DEADLINE_MS);
    const page = await context.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => {
      const text = message.text();
      if (message.type() === 'error' && !/net::ERR|WebSocket connection/.test(text)) problems.push(text);
    });
    await page.goto(`http://127.0.0.1:${pod.apiPort}/${place}`);
    return { page, problems, context };
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

/** Leaves a picture of the whole page below build/screenshots. */
export async function picture({ page }: TestPage, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[];
  }[];
}

/** What of WCAG A and AA the page breaks, in words. */
export async function accessibilityProblems({ page }: TestPage): Promise<string[]> {
  // Injected by the test's own protocol, which no content security policy concerns.
  await page.evaluate(await readFile(AXE, 'utf8'));
  const run = `axe.run(document, { runOnly: { type: 'tag', values: ${JSON.stringify(WCAG_AA)} } })`;
  const { violations } = (await page.evaluate(run)) as AxeResult;
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help} at ${target.join(' ')}: ${failureSummary}`),
  );
}
