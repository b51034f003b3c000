/**
 * Progress of work that takes a while.
 * @module
 */
import { el } from './dom.ts';

/** A bar with a line below. `set` without `of` means that the end is not known. */
export interface Progress {
  readonly element: HTMLElement;
  set(line: string, done?: number, of?: number): void;
  end(line?: string): void;
}

/** A bar that is hidden until it is set. `label` names it for screen readers. */
export function progressBar(label: string): Progress {
  const bar = el('progress', { 'aria-label': label, max: 1 });
  const text = el('span', { class: 'hint' });
  const element = el('div', { class: 'progress', hidden: true }, bar, text);
  return {
    element,
    set(line, done, of) {
      element.hidden = false;
      text.textContent = line;
      if (done === undefined || of === undefined) bar.removeAttribute('value');
      else bar.value = of > 0 ? done / of : 0;
    },
    end(line = '') {
      element.hidden = line === '';
      text.textContent = line;
      bar.value = 1;
    },
  };
}
