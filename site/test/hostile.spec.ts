/** Users who drop the wrong files, press twice, go back and forth, and have no mouse. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright/test';
import { expect, PAGES, test } from './site.ts';

const ROOT = join(import.meta.dirname, '../..');
const SBM = readFileSync(join(ROOT, 'test/golden/models/mnist-cnn.sbm'));
const ONNX = readFileSync(join(ROOT, 'examples/mnist/model.onnx'));
const file = (name: string, buffer: Buffer) => ({ name, mimeType: 'application/octet-stream', buffer });

/** Files that are not what their names say. */
const WRONG = [
  file('empty.onnx', Buffer.alloc(0)),
  file('empty.sbm', Buffer.alloc(0)),
  file('text.onnx', Buffer.from('Dear model,\n'.repeat(1000))),
  file('text.sbm', Buffer.from('Dear model,\n'.repeat(1000))),
  file('picture.png', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')),
  file('an-onnx.sbm', ONNX),
  file('an-sbm.onnx', SBM),
  file('zeros.sbm', Buffer.alloc(1 << 22)),
  file('zeros.onnx', Buffer.alloc(1 << 22)),
  file('ones.sbm', Buffer.alloc(1 << 22, 0xff)),
  file('cut.sbm', SBM.subarray(0, SBM.length - 1)),
];

test('Inspect refuses what is no model with a code and a next step', async ({ site }) => {
  const { page } = site;
  await site.open('inspect');
  for (const wrong of WRONG) {
    await page.locator('input[type=file]').setInputFiles(wrong);
    await expect(page.getByRole('alert'), wrong.name).toContainText(/(Model|Import|Usage)Error \w+/);
    await expect(page.getByRole('alert'), wrong.name).toContainText('Next:');
  }
});

test('a file larger than any model is refused before it is read', async ({ site }) => {
  const { page } = site;
  for (const name of ['inspect', 'convert'] as const) {
    await site.open(name);
    await page.locator('.drop').evaluate((zone) => {
      const huge = new File(['x'], 'huge.onnx');
      Object.defineProperty(huge, 'size', { value: 2 ** 40 });
      const data = { files: [huge] };
      zone.dispatchEvent(Object.assign(new Event('drop', { bubbles: true, cancelable: true }), { dataTransfer: data }));
    });
    await expect(page.getByRole('alert')).toContainText('UsageError TooLarge');
    await expect(page.getByRole('alert')).toContainText('Next:');
  }
});

test('Convert refuses a converted model, and says what is missing', async ({ site }) => {
  const { page } = site;
  await site.open('convert');
  await page.locator('input[type=file]').setInputFiles(file('m.sbm', SBM));
  await expect(page.getByRole('alert')).toContainText('Inspect');
  await page.locator('input[type=file]').setInputFiles(file('notes.txt', Buffer.from('notes')));
  await expect(page.locator('#files')).toContainText('none yet');
  await expect(page.locator('#convert')).toBeDisabled();
});

test('of two files dropped one after the other the second is shown', async ({ site }) => {
  const { page } = site;
  await site.open('inspect');
  const input = page.locator('input[type=file]');
  await page.getByRole('button', { name: 'Character model (.sbm)' }).click();
  await input.setInputFiles(file('second.sbm', SBM));
  await expect(page.locator('#facts')).toContainText('second.sbm');
  await expect(page.locator('.progress')).toBeHidden();
  await page.waitForTimeout(1500);
  await expect(page.locator('#facts')).toContainText('second.sbm');
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('a file dropped beside its place does not take the place of the page', async ({ site }) => {
  for (const name of PAGES) {
    await site.open(name);
    await expect(site.page.locator('#theme')).toHaveAttribute('aria-pressed', /true|false/);
    const prevented = await site.page.evaluate(() =>
      ['dragover', 'drop'].map((kind) => {
        const e = new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: new DataTransfer() });
        document.querySelector('h1')!.dispatchEvent(e);
        return e.defaultPrevented;
      }),
    );
    expect(prevented, name).toEqual([true, true]);
  }
});

test('presses that come twice are one', async ({ site }) => {
  const { page } = site;
  await site.open('convert');
  await page.getByRole('button', { name: 'Credit (tabular)' }).click();
  await page.getByRole('button', { name: 'Convert', exact: true }).dblclick();
  await expect(page.locator('.verdict')).toHaveCount(1);
  await site.open('dispute');
  await expect(page.locator('#says')).toContainText('The network says');
  await page.locator('#element').fill('3');
  await page.getByRole('button', { name: 'Claim it' }).dblclick(); // the first press ends the edit of the field, too
  await expect(page.locator('.move')).toHaveCount(1);
  await page.locator('#next').dblclick();
  await expect(page.locator('#restart')).toBeEnabled();
  await page.locator('#all').dblclick();
  await expect(page.locator('.verdict')).toHaveAttribute('data-winner', 'challenger');
  await site.open('try');
  await page.locator('#digit-sample').dblclick();
  await page.locator('#face-sample').dblclick();
  await page.locator('#chat-go').dblclick();
  await expect(page.locator('#chat-out dl')).toHaveCount(1);
  await expect(page.locator('#face-answer')).toHaveText('1 face');
});

/** Goes through the history as the browser's buttons do. */
async function go(page: Page, by: number): Promise<void> {
  await page.evaluate((n) => void setTimeout(() => history.go(n)), by);
}

test('back and forth, in the middle of work', async ({ site }) => {
  const { page } = site;
  await site.open('inspect');
  await page.getByRole('button', { name: 'Character model (.sbm)' }).click();
  await page.locator('nav a', { hasText: 'Dispute' }).click();
  await page.getByRole('button', { name: 'Claim it' }).click();
  await page.locator('nav a', { hasText: 'Convert' }).click();
  await page.getByRole('button', { name: 'Digits (mnist)' }).click();
  await page.getByRole('button', { name: 'Convert', exact: true }).click();
  await go(page, -1);
  await expect(page.locator('h1')).toHaveText('Play the dispute');
  await expect(page.locator('#claim')).toBeEnabled();
  await go(page, -1);
  await expect(page.locator('h1')).toHaveText('Inspect');
  await page.getByRole('button', { name: 'Digits (.sbm)' }).click();
  await expect(page.locator('#facts [data-digest]')).toBeVisible();
  await go(page, 2);
  await expect(page.locator('h1')).toHaveText(/Convert/);
  await page.getByRole('button', { name: 'Credit (tabular)' }).click();
  await page.getByRole('button', { name: 'Convert', exact: true }).click();
  await expect(page.locator('.verdict')).toContainText('credit.sbm');
});

/** What Tab reaches, in its order, until it comes back to the start; and what of it shows no ring. */
async function tabs(page: Page): Promise<{ order: number[]; bare: string[] }> {
  const [order, bare]: [number[], string[]] = [[], []];
  for (let i = 0; i < 200; i++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const e = document.activeElement;
      if (e === null || e === document.body || e === document.documentElement) return undefined;
      const ring = (x: Element): boolean => getComputedStyle(x).outlineStyle !== 'none';
      const shown = ring(e) || (e.parentElement !== null && ring(e.parentElement));
      return { place: [...document.querySelectorAll('*')].indexOf(e), name: `${e.tagName}#${e.id}`, shown };
    });
    if (at === undefined || at.place === order[0]) break;
    order.push(at.place);
    if (!at.shown) bare.push(at.name);
  }
  return { order, bare };
}

for (const name of PAGES)
  test(`${name}: Tab goes through everything in the order of reading, and shows where it is`, async ({ site }) => {
    const { page } = site;
    await site.open(name);
    await page.waitForLoadState('networkidle');
    const { order, bare } = await tabs(page);
    expect(order.length).toBeGreaterThan(8);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(bare).toEqual([]);
    const due = await page.evaluate(
      () =>
        [
          ...document.querySelectorAll<HTMLElement>(
            'a[href], button, input, select, textarea, summary, [tabindex="0"]',
          ),
        ].filter((e) => !e.matches(':disabled') && e.checkVisibility()).length,
    );
    expect(order.length).toBe(due);
  });
