import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { NARROW, TestBrowser, type TestPage } from '../support/browser.ts';
import { TestPod } from '../support/pod.ts';
import { calmZone, until } from '../support/pod-wait.ts';

const BUNDLE_BYTES_MAX = 150_000;

let browser: TestBrowser;
let pod: TestPod;
let opened: TestPage | null = null;

beforeAll(async () => {
  [browser, pod] = await Promise.all([TestBrowser.start(), TestPod.start()]);
});

afterEach(async () => {
  await opened?.context.close();
  opened = null;
});

afterAll(async () => {
  await browser?.close();
  await pod?.remove();
});

async function open(place = ''): Promise<TestPage> {
  opened = await browser.open(pod, place);
  return opened;
}

describe('the overview', () => {
  test('of a new pod tells how a first campaign is made, and shows it as soon as it is there', async () => {
    const { page, problems } = await open();
    await page.getByText('No campaigns yet').waitFor();
    const command = await page.locator('pre').textContent();
    expect(command).toContain(`curl http://127.0.0.1:${pod.apiPort}/campaigns`);
    const body = command?.slice(command.indexOf('{'), command.lastIndexOf('}') + 1);
    expect((await pod.api.request('POST', '/campaigns', body)).status).toBe(201);
    await page.getByRole('link', { name: 'Spring sale' }).waitFor();
    expect(problems).toEqual([]);
  });

  test('takes less than 150 KB over the wire, all of it from the pod', async () => {
    const { page } = await open();
    await page.getByText('Live', { exact: true }).waitFor();
    await page.evaluate('document.fonts.ready.then(() => true)');
    const loaded = (await page.evaluate(`
      performance.getEntriesByType('resource')
        .filter(({ initiatorType }) => initiatorType !== 'fetch')
        .map(({ name, encodedBodySize }) => ({ name, bytes: encodedBodySize }))
    `)) as { name: string; bytes: number }[];
    expect(loaded.length).toBeGreaterThan(2);
    expect(loaded.filter(({ name }) => !name.startsWith(`http://127.0.0.1:${pod.apiPort}/`))).toEqual([]);
    expect(loaded.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(BUNDLE_BYTES_MAX);
  });

  test('keeps search, filter and order in the URL', async () => {
    for (const [id, name, cents] of [
      ['fast', 'Fast lane', 50_000],
      ['slow', 'Slow lane', 10_000],
      ['held', 'Held up', 70_000],
    ] as const) {
      await pod.createCampaign({ id, name, daily_budget_cents: cents });
    }
    await pod.patchCampaign('held', { status: 'PAUSED' });
    await pod.core.spend({ campaign_id: 'slow', spend_cents: 900 });
    await pod.core.spend({ campaign_id: 'fast', spend_cents: 100 });
    const { page } = await open();
    await page.getByLabel('Search by name or id').fill('lane');
    await page.getByText('2 of 4 campaigns').waitFor();
    await page.getByRole('button', { name: 'Spent today' }).click();
    const names = page.locator('.row .name a');
    await until(
      'the largest spend is first',
      async () => (await names.first().textContent()) === 'Slow lane',
    );
    expect(page.url()).toContain('q=lane');
    expect(page.url()).toContain('sort=spent');
    await page.reload();
    await until('the same after a reload', async () => (await names.first().textContent()) === 'Slow lane');
    expect(await names.count()).toBe(2);
    await page.getByLabel('Search by name or id').fill('');
    await page.getByLabel('Status').selectOption('PAUSED');
    await until('only what is paused', async () => (await names.allTextContents()).join() === 'Held up');
  });

  test('shows money as it is spent, and an open breaker in words', async () => {
    await pod.createCampaign({ id: 'moving', name: 'Moving', daily_budget_cents: 10_000 });
    const { page, problems } = await open('#/?q=moving');
    const row = page.locator('.row', { hasText: 'Moving' });
    await row.waitFor();
    await pod.core.spend({ campaign_id: 'moving', spend_cents: 1_234 });
    await row.getByText('$12.34').first().waitFor({ timeout: 5_000 });
    await pod.core.spend({ campaign_id: 'moving', spend_cents: 8_266 });
    await row.getByText('$95.00').first().waitFor({ timeout: 5_000 });
    await row.locator('.breaker').getByText('Open').waitFor({ timeout: 5_000 });
    expect(problems).toEqual([]);
  });

  test('is walked through by keyboard: search, down the rows, into a campaign', async () => {
    const { page } = await open();
    await page.locator('.row').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('lane');
    await page.getByText(/^2 of/).first().waitFor();
    await page.locator('.row .name a').first().focus();
    await page.keyboard.press('ArrowDown');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Slow lane');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Slow lane' }).waitFor();
    expect(await page.title()).toBe('Slow lane · Budget pacer');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    await page.getByRole('link', { name: 'Campaigns', exact: true }).press('Enter');
    await page.getByRole('link', { name: 'New campaign' }).press('Enter');
    await page.getByRole('heading', { level: 1, name: 'New campaign' }).waitFor();
    expect(await page.evaluate('document.activeElement.name')).toBe('name');
  });

  test('on a phone is put in order too, and its cards show the breaker and the day’s end', async () => {
    await pod.createCampaign({ id: 'pocket', name: 'Pocket', daily_budget_cents: 100_000 });
    await pod.createCampaign({ id: 'other', name: 'Other', daily_budget_cents: 100_000 });
    await pod.core.spend({ campaign_id: 'pocket', spend_cents: 97_000 });
    opened = await browser.open(pod, '', { viewport: NARROW });
    const { page, problems } = opened;
    const names = page.locator('.row .name a');
    await page.getByLabel('Order', { exact: true }).selectOption('By spent today');
    await until('the largest spend is first', async () => (await names.first().textContent()) === 'Pocket');
    const card = page.locator('.row', { hasText: 'Pocket' });
    expect(await card.locator('.breaker').innerText()).toMatch(/Breaker\s+Open/);
    expect(await card.locator('.projection').innerText()).toContain('Day’s end');
    await page.getByRole('button', { name: 'Largest first: turn around' }).click();
    await until('the largest spend is last', async () => (await names.last().textContent()) === 'Pocket');
    expect(problems).toEqual([]);
  });

  test('keeps 10,000 campaigns in one list, of which only those in sight exist', async () => {
    const zone = calmZone();
    for (let from = 0; from < 10_000; from += 50) {
      await Promise.all(
        Array.from({ length: 50 }, (_, at) =>
          pod.createCampaign({
            id: `many-${from + at}`,
            name: `Many ${from + at}`,
            daily_budget_cents: 10_000,
            timezone: zone,
          }),
        ),
      );
    }
    const { page, problems } = await open('#/?q=many');
    await page.getByText('10,000 of').first().waitFor();
    expect(await page.locator('.row').count()).toBeLessThan(60);
    await page.evaluate('scrollTo(0, document.body.scrollHeight)');
    await page.getByRole('link', { name: 'Many 9999' }).waitFor();
    expect(await page.locator('.row').count()).toBeLessThan(60);
    await pod.core.spend({ campaign_id: 'many-9999', spend_cents: 4_321 });
    await page.getByText('$43.21').first().waitFor({ timeout: 10_000 });
    expect(problems).toEqual([]);
  }, 180_000);
});
