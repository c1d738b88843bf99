import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { TestBrowser, type TestPage } from '../support/browser.ts';
import { TestPod } from '../support/pod.ts';
import { calmZone, timeIn, until } from '../support/pod-wait.ts';

let browser: TestBrowser;
let pod: TestPod;
let opened: TestPage | null = null;
const zone = calmZone();

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

async function open(place: string): Promise<TestPage> {
  opened = await browser.open(pod, place);
  return opened;
}

describe('the page of a campaign', () => {
  test('says in plain words how much is held back and why, while bids are asked for', async () => {
    await pod.createCampaign({
      id: 'fast',
      name: 'Too fast',
      daily_budget_cents: 10_000,
      pacing_mode: 'EVEN',
      timezone: zone,
    });
    await pod.core.spend({ campaign_id: 'fast', spend_cents: 9_000 });
    const { page, problems } = await open('#/campaigns/fast');
    const why = page.getByLabel('Why', { exact: true });
    const sentence = /^Held back \d+(\.\d)?% because spend is \$[\d.]+ ahead of plan\.$/;
    await until('the sentence', async () => {
      await pod.core.decide('fast', 1);
      return sentence.test((await why.locator('.why-sentence').textContent()) ?? '');
    });
    await why.getByText('Mean winning price').waitFor();
    expect(problems).toEqual([]);
  });

  test('tells where the day is heading as soon as the status knows, though live rows do not yet', async () => {
    await pod.createCampaign({ id: 'heading', name: 'Heading', daily_budget_cents: 10_000, timezone: zone });
    const { page, problems } = await open('');
    const { body } = await pod.api.request<object>('GET', '/budget/status/heading?explain=true');
    const status = { ...body, projected_spend_cents: 8_765 };
    await page.route(/\/budget\/status\/heading/, (route) => route.fulfill({ json: status }));
    await page.getByRole('link', { name: 'Heading' }).click();
    await page.locator('.campaign-strip').getByText('$87.65').waitFor();
    expect(problems).toEqual([]);
  });

  test('shows the plan of the hours to come beside what hours that are over have spent', async () => {
    await pod.createCampaign({
      id: 'plan',
      name: 'Planned',
      daily_budget_cents: 10_000,
      pacing_mode: 'EVEN',
      timezone: zone,
    });
    const { page, problems } = await open('#/campaigns/plan');
    const hours = page.getByRole('region', { name: 'Hours of today' });
    const ahead = 23 - timeIn(zone, Date.now()).hour;
    await until(
      'an outline for each hour to come',
      async () => (await hours.locator('.bars .planned').count()) >= ahead,
    );
    await hours.getByText('As a table').click();
    const last = hours.getByRole('row', { name: /^23:00/ });
    expect(await last.textContent()).toMatch(/^23:00\$[\d.]+––$/);
    expect(problems).toEqual([]);
  });

  test('shows the breaker open until now, also when its alert was resolved before it closed', async () => {
    await pod.createCampaign({ id: 'shut', name: 'Shut', daily_budget_cents: 1_000, timezone: zone });
    await pod.core.spend({ campaign_id: 'shut', spend_cents: 960 });
    const { page } = await open('#/campaigns/shut');
    const resolve = page.getByRole('button', { name: /^Resolve: the circuit breaker of shut/ });
    await resolve.click();
    await resolve.waitFor({ state: 'detached' });
    const breaker = page.getByLabel('Breaker', { exact: true });
    await breaker.getByText('Open', { exact: true }).waitFor();
    const laterMs = Date.now() + 5 * 60_000;
    await page.clock.setSystemTime(laterMs);
    const later = new Intl.DateTimeFormat('en-US', CLOCK).format(laterMs);
    await until('the line reaches beyond the resolution', async () =>
      (await breaker.getByRole('img').getAttribute('aria-label'))?.endsWith(`to ${later}`),
    );
  });

  test('claims nothing of alerts and changes before it knows them', async () => {
    await pod.createCampaign({ id: 'slow', name: 'Slow', daily_budget_cents: 10_000 });
    const { page } = await open('');
    await page.route(/\/(audit|alerts\/slow)/, () => {}); // never answered
    await page.getByRole('link', { name: 'Slow' }).click();
    await page.getByText('Hours of today').waitFor();
    expect(await page.getByText(/No alert was raised|No change on record/).count()).toBe(0);
    expect(await page.getByLabel('Changes').getByLabel('Loading').count()).toBe(1);
  });

  test('gives the focus back to the menu when a dialog that was opened from it closes', async () => {
    await pod.createCampaign({ id: 'keys', name: 'Keys', daily_budget_cents: 10_000 });
    const { page } = await open('#/campaigns/keys');
    await page.getByRole('button', { name: 'More actions' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Hours of the plan' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await until('the focus is back', async () =>
      page.evaluate("document.activeElement.ariaLabel === 'More actions'"),
    );
  });
});

const CLOCK: Intl.DateTimeFormatOptions = {
  timeZone: zone,
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
};
