import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessibilityProblems, NARROW, picture, TestBrowser, type Theme, WIDE } from '../support/browser.ts';
import { TestPod } from '../support/pod.ts';

let browser: TestBrowser;
let pod: TestPod;

beforeAll(async () => {
  [browser, pod] = await Promise.all([TestBrowser.start(), TestPod.start()]);
  await pod.createCampaign({
    id: 'spring',
    name: 'Spring sale',
    daily_budget_cents: 100_000,
    pacing_mode: 'EVEN',
  });
  await pod.createCampaign({ id: 'tripped', name: 'Spent already', daily_budget_cents: 5_000 });
  await pod.createCampaign({ id: 'paused', name: 'On hold', daily_budget_cents: 30_000, status: 'PAUSED' });
  await pod.core.spend({ campaign_id: 'spring', spend_cents: 31_250 });
  await pod.core.spend({ campaign_id: 'tripped', spend_cents: 4_900 });
});

afterAll(async () => {
  await browser?.close();
  await pod?.remove();
});

const PLACES = [
  { name: 'overview', place: '', sign: 'Spring sale' },
  { name: 'campaign', place: '#/campaigns/tripped', sign: 'Last 28 days' },
  { name: 'new', place: '#/new', sign: 'Hours in which it may bid' },
  { name: 'simulator', place: '#/simulator?campaign=spring', sign: 'Side by side' },
  { name: 'alerts', place: '#/alerts', sign: 'daily budget' },
] as const;

describe.each([
  ['light', WIDE],
  ['dark', WIDE],
  ['light', NARROW],
  ['dark', NARROW],
] as const)('in %s at %o', (theme: Theme, viewport) => {
  test.each(PLACES)(
    '$name keeps to WCAG AA, logs no error, and does not scroll sideways',
    async ({ name, place, sign }) => {
      const opened = await browser.open(pod, place, { theme, viewport });
      const { page, problems, context } = opened;
      await page.getByText(sign).first().waitFor();
      await page.getByText('Live', { exact: true }).waitFor();
      expect(await accessibilityProblems(opened)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
      expect(problems).toEqual([]);
      await picture(opened, `${name}-${viewport.width}-${theme}`);
      await context.close();
    },
  );

  test('the page that asks for a token keeps to WCAG AA and looks like the others', async () => {
    const opened = await browser.open(pod, 'login', { theme, viewport });
    const { page, problems, context } = opened;
    await page.locator(`html[data-theme=${theme}]`).waitFor();
    expect(await accessibilityProblems(opened)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    expect(await page.locator('script:not([src]), style').count()).toBe(0);
    expect(problems).toEqual([]);
    await picture(opened, `login-${viewport.width}-${theme}`);
    await context.close();
  });

  test('a dialog keeps to WCAG AA', async () => {
    const opened = await browser.open(pod, '#/campaigns/spring', { theme, viewport });
    await opened.page.getByRole('button', { name: 'Change mode' }).click();
    await opened.page.getByText('The coming 24 hours, simulated').waitFor();
    expect(await accessibilityProblems(opened)).toEqual([]);
    await picture(opened, `mode-${viewport.width}-${theme}`);
    await opened.context.close();
  });

  test('the menu of actions is in sight', async () => {
    const { page, context } = await browser.open(pod, '#/campaigns/spring', { theme, viewport });
    await page.getByRole('button', { name: 'More actions' }).click();
    const box = await page.getByRole('button', { name: 'Hours of the plan' }).boundingBox();
    expect(box?.x).toBeGreaterThanOrEqual(0);
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(viewport.width);
    await context.close();
  });
});
