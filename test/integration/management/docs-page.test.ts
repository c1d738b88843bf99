import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChromium } from '../../support/chromium.ts';
import { TestPod } from '../../support/pod.ts';

const TOKEN = 'a-token-for-this-test';
let pod: TestPod;
let browser: Browser;

beforeAll(async () => {
  browser = await startChromium();
  pod = await TestPod.start({ env: { API_TOKENS: `ada:operator:${TOKEN}` }, apiToken: TOKEN });
});

afterAll(async () => {
  await browser.close();
  await pod.remove();
});

/** A page, what it asked for, and what it complained about. */
async function openPage(): Promise<{ page: Page; hosts: Set<string>; complaints: string[] }> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const hosts = new Set<string>();
  const complaints: string[] = [];
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  return { page, hosts, complaints };
}

test('/docs asks for a login, then sends a request that the server answers, from our own files alone', {
  timeout: 180_000,
}, async () => {
  const { page, hosts, complaints } = await openPage();
  const base = `http://127.0.0.1:${pod.apiPort}`;
  const refused = await page.goto(`${base}/docs`);
  expect(refused?.status()).toBe(401);
  complaints.length = 0; // the 401 itself
  await page.fill('#token', TOKEN);
  await page.click('button');
  const opened = await page.goto(`${base}/docs`);
  expect(opened?.status()).toBe(200);
  expect(opened?.headers()['content-security-policy']).toMatch(/script-src 'self'; style-src 'self';/);
  complaints.length = 0; // the dashboard that the login leads to is not what is tested here

  const create = page.locator('#operations-Campaigns-createCampaign');
  await create.locator('.opblock-summary').click();
  await create.locator('textarea').fill('{"id":"from-docs","name":"From the page","daily_budget_cents":100}');
  await create.locator('.execute').click();
  await create.locator('.live-responses-table .response-col_status').last().waitFor();
  expect(await create.locator('.live-responses-table').innerText()).toMatch(/^\s*Code\s+Details\s+201/);
  expect((await pod.api.request('GET', '/campaigns/from-docs')).body).toMatchObject({
    name: 'From the page',
  });

  expect([...hosts]).toEqual([`127.0.0.1:${pod.apiPort}`]);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('/docs sends the token that is typed in, where there is no session', { timeout: 180_000 }, async () => {
  const { page } = await openPage();
  const base = `http://127.0.0.1:${pod.apiPort}`;
  await page.setExtraHTTPHeaders({ authorization: `Bearer ${TOKEN}` });
  await page.goto(`${base}/docs`);
  await page.locator('.opblock').first().waitFor();
  await page.setExtraHTTPHeaders({});
  await page.locator('.auth-wrapper .authorize').click();
  await page.locator('#auth-bearer-value').fill(TOKEN);
  await page.locator('.auth-btn-wrapper .authorize').first().click();
  await page.locator('.btn-done').first().click();
  const list = page.locator('#operations-Campaigns-listCampaigns');
  await list.locator('.opblock-summary').click();
  await list.locator('.execute').click();
  await list.locator('.live-responses-table .response-col_status').last().waitFor();
  expect(await list.locator('.live-responses-table').innerText()).toMatch(/^\s*Code\s+Details\s+200/);
  await page.context().close();
});
