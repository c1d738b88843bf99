import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { TestBrowser, type TestPage } from '../support/browser.ts';
import { TestPod } from '../support/pod.ts';
import { until } from '../support/pod-wait.ts';

interface Campaign {
  readonly id: string;
  readonly status: string;
  readonly pacing_mode: string;
  readonly daily_budget_cents: number;
  readonly dayparts: unknown;
}

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

async function boxOf(place: Locator): Promise<{ x: number; y: number; width: number; height: number }> {
  const box = await place.boundingBox();
  if (box === null) throw new Error('it is not to be seen');
  return box;
}

/** With the pointer pressed, in one leap over what lies between, as a fast hand. */
async function drag(page: Page, from: [number, number], to: [number, number]): Promise<void> {
  await page.mouse.move(...from);
  await page.mouse.down();
  await page.mouse.move(...to);
  await page.mouse.up();
}

const read = async (id: string): Promise<Campaign> =>
  (await pod.api.request<Campaign>('GET', `/campaigns/${id}`)).body;

describe('an operator', () => {
  test('creates a campaign through the form, and is told at the field what the server refuses', async () => {
    const { page, problems } = await open('#/new');
    await page.getByLabel('Name').fill('Made by hand');
    await page.getByLabel('Daily budget', { exact: true }).fill('12.5x');
    await page.getByRole('button', { name: 'Create campaign' }).click();
    await page.getByText('The daily budget must be an amount').waitFor();
    const daily = page.getByLabel('Daily budget', { exact: true });
    expect(await page.evaluate('document.activeElement.name')).toBe('daily');
    await daily.fill('1,250.50');
    await page.getByLabel('Id', { exact: true }).fill('not an id');
    await page.getByLabel('Time zone').fill('UTC');
    await page.getByRole('button', { name: 'Create campaign' }).click();
    const field = page.getByLabel('Id', { exact: true });
    await until('the id is marked', async () => (await field.getAttribute('aria-invalid')) === 'true');
    await page.getByText('id must be 1 to 128 characters').waitFor();
    await field.fill('by-hand');
    await page.getByRole('radio', { name: 'Front-loaded' }).check();
    await page.getByRole('button', { name: 'Monday 00:00' }).click();
    await page.getByRole('button', { name: 'Create campaign' }).click();
    await page.getByRole('heading', { level: 1, name: 'Made by hand' }).waitFor();
    await page.getByLabel('Changes').getByText('$1,250.50').waitFor();
    expect(await read('by-hand')).toMatchObject({
      daily_budget_cents: 125_050,
      pacing_mode: 'FRONT_LOADED',
      dayparts: expect.arrayContaining([{ day_of_week: 1, start_hour: 1, end_hour: 24 }]),
    });
    expect(problems.filter((text) => !text.includes('400'))).toEqual([]);
  });

  test('adjusts the budget with a reason, pauses and resumes, changes the mode, and reads it all in the changes', async () => {
    await pod.createCampaign({ id: 'hands', name: 'Hands on', daily_budget_cents: 10_000 });
    const { page, problems } = await open('#/campaigns/hands');
    await page.getByRole('button', { name: 'Adjust budget' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Daily budget').fill('250');
    await dialog.getByLabel('Reason').fill('a good week');
    await dialog.getByRole('button', { name: 'Adjust budget' }).click();
    await page.getByText('a good week').waitFor();
    expect((await read('hands')).daily_budget_cents).toBe(25_000);

    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Resume' }).waitFor();
    expect((await read('hands')).status).toBe('PAUSED');
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Pause' }).waitFor();

    await page.getByRole('button', { name: 'Change mode' }).click();
    await dialog.getByRole('radio', { name: 'Even' }).check();
    await dialog.getByRole('img', { name: /^Simulated spend. ASAP.*; Even/ }).waitFor();
    await dialog.getByRole('button', { name: 'Change to Even' }).click();
    await until('the mode is changed', async () => (await read('hands')).pacing_mode === 'EVEN');
    await page.getByLabel('Changes').getByText('Mode', { exact: true }).waitFor();
    expect(problems).toEqual([]);
  });

  test('weighs the hours of the plan by keyboard', async () => {
    await pod.createCampaign({ id: 'hours', name: 'Hours', daily_budget_cents: 10_000, pacing_mode: 'EVEN' });
    const { page } = await open('#/campaigns/hours');
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('button', { name: 'Hours of the plan' }).click();
    const noon = page.getByRole('slider', { name: 'Weight of 12:00' });
    await noon.focus();
    await page.keyboard.press('PageUp');
    await page.keyboard.press('PageUp');
    await page.getByRole('button', { name: 'Save hours' }).click();
    await until('the weights are saved', async () => {
      const { body } = await pod.api.request<{ pacing_configs: unknown[] }>('GET', '/pacing/config/hours');
      return JSON.stringify(body.pacing_configs) === JSON.stringify([{ hour: 12, multiplier: 2 }]);
    });
  });

  test('weighs the hours of the plan by dragging over their bars', async () => {
    await pod.createCampaign({ id: 'drawn', name: 'Drawn', daily_budget_cents: 10_000, pacing_mode: 'EVEN' });
    const { page, problems } = await open('#/campaigns/drawn');
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('button', { name: 'Hours of the plan' }).click();
    const bars = await boxOf(page.locator('.weights'));
    const at = (hour: number, weight: number): [number, number] => [
      bars.x + (bars.width * (hour + 0.5)) / 24,
      bars.y + bars.height * (1 - weight / 3),
    ];
    await drag(page, at(9, 2), at(11, 2));
    await drag(page, at(20, 1), at(20, 0));
    await page.getByRole('button', { name: 'Save hours' }).click();
    await until('what was drawn is saved', async () => {
      const { body } = await pod.api.request<{ pacing_configs: { hour: number; multiplier: number }[] }>(
        'GET',
        '/pacing/config/drawn',
      );
      const [nine, ten, eleven, evening] = body.pacing_configs;
      const near = (given: typeof nine, hour: number, weight: number) =>
        given?.hour === hour && Math.abs(given.multiplier - weight) < 0.11;
      return near(nine, 9, 2) && near(ten, 10, 2) && near(eleven, 11, 2) && near(evening, 20, 0);
    });
    expect(problems).toEqual([]);
  });

  test('paints the hours in which a campaign may bid over the week, on and off', async () => {
    await pod.createCampaign({ id: 'week', name: 'Week', daily_budget_cents: 10_000 });
    const { page, problems } = await open('#/campaigns/week/edit');
    const cell = async (name: string): Promise<[number, number]> => {
      const { x, y, width, height } = await boxOf(page.getByRole('button', { name, exact: true }));
      return [x + width / 2, y + height / 2];
    };
    await page.getByRole('button', { name: 'Wednesday 22:00' }).scrollIntoViewIfNeeded();
    await drag(page, await cell('Monday 00:00'), await cell('Monday 05:00'));
    await drag(page, await cell('Tuesday 22:00'), await cell('Wednesday 22:00'));
    await drag(page, await cell('Monday 02:00'), await cell('Monday 03:00'));
    await page.getByRole('button', { name: 'Save' }).click();
    await until('the hours are saved', async () => (await read('week')).dayparts !== null);
    const { dayparts } = await read('week');
    expect(dayparts).toEqual(
      expect.arrayContaining([
        { day_of_week: 1, start_hour: 2, end_hour: 4 },
        { day_of_week: 1, start_hour: 6, end_hour: 24 },
        { day_of_week: 2, start_hour: 0, end_hour: 22 },
        { day_of_week: 2, start_hour: 23, end_hour: 24 },
        { day_of_week: 3, start_hour: 0, end_hour: 22 },
        { day_of_week: 3, start_hour: 23, end_hour: 24 },
      ]),
    );
    expect(problems).toEqual([]);
  });

  test('deletes a campaign only after a question', async () => {
    await pod.createCampaign({ id: 'over', name: 'Over and done', daily_budget_cents: 10_000 });
    const { page, problems } = await open('#/campaigns/over');
    const ask = async () => {
      await page.getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('button', { name: 'Delete…' }).click();
    };
    const dialog = page.getByRole('dialog');
    await ask();
    await dialog.getByText('Delete Over and done?').waitFor();
    await dialog.getByRole('button', { name: 'Keep as it is' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect((await read('over')).status).toBe('ACTIVE');
    await ask();
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await until('it is deleted', async () => {
      const { status, body } = await pod.api.request<Campaign>('GET', '/campaigns/over');
      return status === 404 || body.status === 'DELETED';
    });
    await page.getByRole('heading', { level: 1, name: 'Campaigns' }).waitFor();
    await page.getByRole('link', { name: 'Over and done' }).waitFor({ state: 'detached' }); // with the next update
    expect(problems).toEqual([]);
  });

  test('starts the day of a campaign anew only after a question, and resolves its alerts', async () => {
    await pod.createCampaign({ id: 'again', name: 'Once more', daily_budget_cents: 1_000 });
    await pod.core.spend({ campaign_id: 'again', spend_cents: 960 });
    const { page } = await open('#/campaigns/again');
    const resolve = page.getByRole('button', { name: /^Resolve: again has spent 80%/ });
    await resolve.click();
    await resolve.waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('button', { name: 'Start the day anew…' }).click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect((await pod.core.status('again')).daily_spent_cents).toBe(960);
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('button', { name: 'Start the day anew…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Start the day anew' }).click();
    await until('the day begins anew', async () => (await pod.core.status('again')).daily_spent_cents === 0);
  });

  test('tries a campaign out before it spends, in several modes side by side', async () => {
    const { page, problems } = await open('#/simulator');
    await page.getByRole('button', { name: 'Simulate' }).click();
    await page.getByText('The daily budget must be an amount').waitFor();
    await page.getByLabel('Daily budget').fill('500');
    await page.getByRole('checkbox', { name: 'Adaptive' }).check();
    await page.getByRole('checkbox', { name: 'ASAP' }).uncheck();
    await page.getByRole('button', { name: 'Simulate' }).click();
    const rows = page.getByRole('row');
    await page.getByRole('cell', { name: 'Adaptive' }).waitFor();
    expect(await rows.count()).toBe(4);
    await page.getByLabel('Hours ahead').fill('900');
    await page.getByRole('button', { name: 'Simulate' }).click();
    await page.getByText('hours_ahead must be').waitFor();
    expect(problems.filter((text) => !text.includes('400'))).toEqual([]);
  });
});
