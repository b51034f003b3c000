/**
 * What every page does: the switch of themes, and no other use of files that are dropped.
 * @module
 */
import { byId } from './dom.ts';

/** Makes the switch of themes work, whose choice is kept. */
export function start(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const root = document.documentElement;
  const toggle = byId<HTMLButtonElement>('theme');
  const isDark = (): boolean => (root.dataset['theme'] ?? (dark.matches ? 'dark' : 'light')) === 'dark';
  const show = (): void => toggle.setAttribute('aria-pressed', String(isDark()));
  toggle.addEventListener('click', () => {
    root.dataset['theme'] = isDark() ? 'light' : 'dark';
    try {
      localStorage.setItem('samebit-theme', root.dataset['theme']);
    } catch {
      // A page without storage forgets the choice.
    }
    show();
  });
  // A file that is dropped beside the place for it must not take the place of the page.
  for (const kind of ['dragover', 'drop'] as const) addEventListener(kind, (e) => e.preventDefault());
  dark.addEventListener('change', show);
  show();
}
