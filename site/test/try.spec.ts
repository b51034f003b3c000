/** Try: each demo on wasm gives the digest that Node gives for the same input. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright/test';
import { talk } from '../../examples/chat/talk.ts';
import { createSession, loadModel, type Session } from '../../src/index.ts';
import { expect, test } from './site.ts';

const data = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(join(import.meta.dirname, '../public/data', name)));
const session = (name: string): Promise<Session> => createSession(loadModel(data(`${name}.sbm`)));

test('a digit, by sample and by keyboard', async ({ site }) => {
  const { page } = site;
  await site.open('try');
  await page.locator('#digit-sample').click();
  await expect(page.locator('#digit-answer')).toBeVisible();
  const s = await session('mnist-cnn');
  const expected = await s.run({ input: data('digits.bin').subarray(0, 784) });
  expect(await site.digest('#digit-out')).toBe(expected.digest);
  // A one, by arrow keys.
  await page.locator('#digit-canvas').focus();
  await page.keyboard.press('Delete');
  await expect(page.locator('#digit-answer')).toHaveCount(0);
  for (let i = 0; i < 16; i++) await page.keyboard.press('Shift+ArrowDown');
  await expect(page.locator('#digit-answer')).toHaveText('It is a 1');
});

test('a digit drawn by pointer', async ({ site }) => {
  const { page } = site;
  await site.open('try');
  const box = (await page.locator('#digit-canvas').boundingBox())!;
  const at = (x: number, y: number): [number, number] => [box.x + x * box.width, box.y + y * box.height];
  await page.mouse.move(...at(0.3, 0.2));
  await page.mouse.down();
  await page.mouse.move(...at(0.7, 0.2), { steps: 8 });
  await page.mouse.move(...at(0.45, 0.8), { steps: 8 });
  await page.mouse.up();
  await expect(page.locator('#digit-answer')).toHaveText('It is a 7');
});

test('the transformer says what it says in Node', async ({ site }) => {
  const { page } = site;
  await site.open('try');
  await page.locator('#chat-go').click();
  await expect(page.locator('#chat-out dl')).toBeVisible();
  const s = await session('chat');
  const text = await page.locator('#chat-text').inputValue();
  const letters = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  let [expected, digest] = ['', ''];
  const engine = {
    run: async (inputs: never) => {
      const result = await s.run(inputs);
      digest = result.digest;
      return Object.fromEntries(Object.entries(result.outputs).map(([name, t]) => [name, t.data]));
    },
  };
  for await (const code of talk(s.model, engine as never, text, 160, Int32Array.of(7, 0))) expected += letters[code];
  expect(await page.locator('#chat-said').textContent()).toBe(expected);
  expect(await site.digest('#chat-out')).toBe(digest);
  await page.locator('#chat-text').fill('#');
  await page.locator('#chat-go').click();
  await expect(page.locator('#chat-out .error')).toContainText('knows no "#"');
});

test('a face, and a file that is no picture', async ({ site }) => {
  const { page } = site;
  await site.open('try');
  await page.locator('#face-sample').click();
  await expect(page.locator('#face-answer')).toHaveText('1 face');
  const { digest } = JSON.parse(new TextDecoder().decode(data('yunet.json'))) as { digest: string };
  expect(await site.digest('#face-out')).toBe(digest);
  await page
    .locator('#face-drop input')
    .setInputFiles({ name: 'x.png', mimeType: 'image/png', buffer: Buffer.from('no') });
  await expect(page.locator('#face-out .error')).toContainText('no picture');
  await expect(page.locator('#face-out .error')).toContainText('Next:');
});

/** Digests that the page shows from here on, in order. */
async function watch(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(globalThis, { seen });
    new MutationObserver(() => {
      const shown = document.querySelector('#face-out [data-digest]')?.getAttribute('data-digest');
      if (shown != null) seen.push(shown);
    }).observe(document.querySelector('#face-out')!, { childList: true });
  });
  return () => page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);
}

test('before the camera every frame has its digest, until it is stopped', async ({ site, context, browserName }) => {
  const { page } = site;
  if (browserName === 'chromium') await context.grantPermissions(['camera']);
  await site.open('try');
  const digests = await watch(page);
  const camera = page.locator('#face-camera');
  await camera.focus();
  await page.keyboard.press('Enter');
  await expect(camera).toHaveText('Stop the camera');
  await expect.poll(async () => new Set(await digests()).size).toBeGreaterThanOrEqual(3);
  await camera.press('Enter');
  await expect(camera).toHaveText('Start the camera');
  await expect(page.locator('#face-out')).not.toHaveAttribute('aria-busy');
  const count = (await digests()).length;
  // Nothing is drawn on a frame without faces: what is seen is what the network was given.
  await expect(page.locator('#face-answer')).toHaveText('0 faces');
  const pixels = await page.locator('#face-canvas').evaluate((c: HTMLCanvasElement) => {
    const { data } = c.getContext('2d')!.getImageData(0, 0, 320, 320);
    return Array.from({ length: 320 * 320 * 3 }, (_, i) => data[4 * Math.floor(i / 3) + 2 - (i % 3)]!);
  });
  const s = await session('yunet');
  expect(await site.digest('#face-out')).toBe((await s.run({ input: Uint8Array.from(pixels) })).digest);
  expect((await digests()).length).toBe(count);
  await camera.click();
  await expect.poll(async () => (await digests()).length).toBeGreaterThan(count);
  await page.locator('#face-sample').click(); // which stops it
  await expect(page.locator('#face-answer')).toHaveText('1 face');
  await expect(camera).toHaveText('Start the camera');
});

test('a camera that is denied, missing, in use: what to do', async ({ site, browserName }) => {
  const { page } = site;
  await page.addInitScript(() => {
    const media = navigator.mediaDevices;
    if (media === undefined) return; // the empty page before it is not secure
    const ask = media.getUserMedia.bind(media);
    media.getUserMedia = (what) => {
      const { error } = globalThis as unknown as { error?: string };
      return error === undefined ? ask(what) : Promise.reject(new DOMException('no', error));
    };
  });
  await site.open('try');
  const cases = [
    ['NotAllowedError', 'HostError Denied'],
    ['NotFoundError', 'HostError NoCamera'],
    ['NotReadableError', 'HostError Busy'],
  ];
  // Without a grant Chromium denies by itself.
  if (browserName === 'chromium') cases.unshift(['', 'HostError Denied']);
  for (const [error, said] of cases) {
    await page.evaluate((e) => Object.assign(globalThis, { error: e || undefined }), error);
    await page.locator('#face-camera').click();
    await expect(page.locator('#face-out .error'), error).toContainText(said!);
    await expect(page.locator('#face-out .error'), error).toContainText('Next:');
    await expect(page.locator('#face-camera')).toBeEnabled();
  }
});

test('super-resolution on two threads, and its slider by keyboard', async ({ site }) => {
  const { page } = site;
  await site.open('try');
  await page.locator('#backend').selectOption('wasm:2');
  await page.locator('#large-sample').click();
  await expect(page.locator('#large-out dl')).toContainText('wasm:2');
  const { digest } = JSON.parse(new TextDecoder().decode(data('super-resolution.json'))) as { digest: string };
  expect(await site.digest('#large-out')).toBe(digest);
  await page.locator('#large-split').focus();
  await page.keyboard.press('Home');
  await expect(page.locator('#large-after')).toHaveCSS('clip-path', /inset\(0(px)?( 0(px)?)*( 0%)?\)/);
});

test('every demo with its result, in both themes', async ({ site }) => {
  const { page } = site;
  await site.open('try');
  for (const id of ['digit-sample', 'face-sample', 'large-sample', 'chat-go']) await page.locator(`#${id}`).click();
  for (const id of ['digit', 'face', 'large', 'chat']) await expect(page.locator(`#${id}-out dl`)).toBeVisible();
  await site.axe('light');
  await site.axe('dark');
  await site.shot('try');
});
