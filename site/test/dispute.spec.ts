/** Play the dispute: lies about every tensor of the run are found by the contracts, move by move. */
import { expect, test } from './site.ts';

test('a lie is found move by move; play all, restart, another lie', async ({ site }) => {
  const { page } = site;
  await site.open('dispute');
  await expect(page.locator('#says')).toContainText('The network says');
  await page.locator('#tensor').selectOption('9');
  await page.locator('#element').fill('5');
  await page.locator('#element').press('Tab');
  await expect(page.locator('#value-hint')).toContainText('the run gave');
  await page.getByRole('button', { name: 'Claim it' }).click();
  await expect(page.locator('.move')).toHaveCount(1);
  const next = page.locator('#next');
  await expect(next).toBeFocused();
  for (let moves = 2; await next.isEnabled(); moves++) {
    await page.keyboard.press('Enter');
    await expect(page.locator('.move')).toHaveCount(moves);
    await expect(page.locator('#restart')).toBeEnabled();
  }
  await expect(page.locator('.verdict')).toHaveAttribute('data-winner', 'challenger');
  await expect(page.locator('.move').last()).toContainText('The contract opens');
  await expect(page.locator('#way')).toContainText('trace root → hash');
  await expect(page.locator('#way')).toContainText(
    /tensor 9 → hash 0 → chunk 0 → element 5 → sum \d → sum \d → terms /,
  );
  await site.shot('dispute', '#game-title');
  await site.axe('light');
  await site.axe('dark');
  await page.getByRole('button', { name: 'Restart' }).click();
  await expect(page.locator('.move')).toHaveCount(0);
  const tensors = await page.locator('#tensor option').evaluateAll((l) => l.map((o) => (o as HTMLOptionElement).value));
  for (const tensor of tensors) {
    await page.locator('#tensor').selectOption(tensor);
    await page.getByRole('button', { name: 'Claim it' }).click();
    await expect(page.locator('.move')).toHaveCount(1);
    await page.getByRole('button', { name: 'Play all' }).click();
    await expect(page.locator('.verdict'), `tensor ${tensor}`).toHaveAttribute('data-winner', 'challenger');
  }
  await page.getByRole('button', { name: 'Lie at random' }).click();
  await page.getByRole('button', { name: 'Claim it' }).click();
  await expect(page.locator('.move')).toHaveCount(1);
  await page.getByRole('button', { name: 'Play all' }).click();
  await expect(page.locator('.verdict')).toHaveAttribute('data-winner', 'challenger');
});

test('what is no lie is refused', async ({ site }) => {
  const { page } = site;
  await site.open('dispute');
  await expect(page.locator('#value-hint')).toContainText('the run gave');
  const honest = /the run gave (\S+)$/.exec((await page.locator('#value-hint').textContent()) ?? '')![1]!;
  await page.locator('#value').press('ControlOrMeta+a');
  await page.locator('#value').pressSequentially(honest.replace(/,/g, '')); // as a user types a minus
  await page.getByRole('button', { name: 'Claim it' }).click();
  await expect(page.getByRole('alert')).toContainText('is what the run gave');
  await page.locator('#value').fill('100000');
  await page.getByRole('button', { name: 'Claim it' }).click();
  await expect(page.getByRole('alert')).toContainText('InputError OutOfRange');
  await page.locator('#digit').selectOption('4');
  await expect(page.locator('#says')).toContainText('The network says');
});
