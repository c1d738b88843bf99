import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { NARROW, TestBrowser, type TestPage } from '../support/browser.ts';
import { TestPod } from '../support/pod.ts';
import { TestRedis } from '../support/redis.ts';

const VIEWER = 'a-viewer-token-of-thirty-two-chars';
const OPERATOR = 'an-operator-token-of-thirty-two-ch';

let browser: TestBrowser;
let opened: TestPage | null = null;
let pod: TestPod | null = null;
let redis: TestRedis | null = null;

beforeAll(async () => {
  browser = await TestBrowser.start();
});

afterEach(async () => {
  await opened?.context.close();
  await pod?.remove();
  await redis?.remove();
  opened = null;
  pod = null;
  redis = null;
});

afterAll(() => browser?.close());

describe('the dashboard', () => {
  test('says that its figures are stale when the server is gone, and is live again when it is back', async () => {
    pod = await TestPod.start();
    await pod.createCampaign({ id: 'here', name: 'Still here', daily_budget_cents: 10_000 });
    opened = await browser.open(pod);
    const { page } = opened;
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Still here' }).waitFor();
    const port = pod.apiPort;
    await pod.kill();
    await page.getByText('These figures are stale').waitFor();
    await page.getByText('Not live').waitFor();
    expect(await page.getByRole('link', { name: 'Still here' }).count()).toBe(1);
    await pod.launch({}, port);
    await pod.ready();
    await pod.core.spend({ campaign_id: 'here', spend_cents: 777 });
    await page.getByText('$7.77').first().waitFor();
    await page.getByText('These figures are stale').waitFor({ state: 'detached' });
  });

  test('says that its WebSocket cannot be had, and fills itself as soon as it can', async () => {
    pod = await TestPod.start();
    await pod.createCampaign({ id: 'here', name: 'Here all along', daily_budget_cents: 10_000 });
    opened = await browser.open(pod);
    const { page } = opened;
    let isBlocked = true;
    await page.routeWebSocket(/budget-updates/, (socket) => {
      if (isBlocked) socket.close();
      else socket.connectToServer();
    });
    await page.reload();
    await page.getByText('No live figures yet').waitFor();
    isBlocked = false;
    await page.getByRole('link', { name: 'Here all along' }).waitFor();
    await page.getByText('No live figures yet').waitFor({ state: 'detached' });
  });

  test('says that the pod goes on without its Redis', async () => {
    redis = await TestRedis.start();
    pod = await TestPod.start({ env: { REDIS_ADDR: `127.0.0.1:${redis.port}` } });
    await pod.createCampaign({ id: 'shared', name: 'Shared', daily_budget_cents: 10_000 });
    opened = await browser.open(pod);
    await opened.page.getByRole('link', { name: 'Shared' }).waitFor();
    await redis.stop('SIGKILL');
    await opened.page.getByText('Operating in degraded mode').waitFor();
    await redis.resume();
    await opened.page.getByText('Operating in degraded mode').waitFor({ state: 'detached' });
  });

  test('asks for a token, shows a viewer everything and no action, and an operator both', async () => {
    const tokens = `ada:operator:${OPERATOR},vic:viewer:${VIEWER}`;
    pod = await TestPod.start({ env: { API_TOKENS: tokens }, apiToken: OPERATOR });
    await pod.createCampaign({ id: 'guarded', name: 'Guarded', daily_budget_cents: 10_000 });
    opened = await browser.open(pod);
    const { page } = opened;
    await page.getByLabel('Token').fill(VIEWER);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('vic (read only)').waitFor();
    expect(await page.getByRole('link', { name: 'New campaign' }).count()).toBe(0);
    await page.getByRole('link', { name: 'Guarded' }).click();
    await page.getByText('Hours of today').waitFor();
    expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Token').fill(OPERATOR);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('link', { name: 'New campaign' }).waitFor();
    await page.getByRole('link', { name: 'Guarded' }).click();
    await page.getByRole('button', { name: 'Pause' }).waitFor();
  });

  test('has room for all pages and for who is logged in on a phone', async () => {
    pod = await TestPod.start({ env: { API_TOKENS: `vic:viewer:${VIEWER}` }, apiToken: VIEWER });
    opened = await browser.open(pod, '', { viewport: NARROW });
    const { page } = opened;
    await page.getByLabel('Token').fill(VIEWER);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('vic (read only)').waitFor();
    await page.getByRole('button', { name: 'Log out' }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    const alerts = await page.getByLabel('Pages').getByRole('link', { name: 'Alerts' }).boundingBox();
    const right = await page.locator('.top-right').boundingBox();
    expect((alerts?.x ?? 0) + (alerts?.width ?? 0)).toBeLessThanOrEqual(right?.x ?? 0);
  });

  test('says that the session has ended, with the way to log in again', async () => {
    const tokens = `ada:operator:${OPERATOR}`;
    pod = await TestPod.start({ env: { API_TOKENS: tokens }, apiToken: OPERATOR });
    opened = await browser.open(pod);
    const { page, context } = opened;
    await page.getByLabel('Token').fill(OPERATOR);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('Live', { exact: true }).waitFor();
    await context.clearCookies();
    await page.getByText('Your session has ended').waitFor({ timeout: 50_000 });
    expect(await page.getByRole('main').getByRole('link', { name: 'Log in' }).getAttribute('href')).toBe(
      '/login',
    );
  });
});
