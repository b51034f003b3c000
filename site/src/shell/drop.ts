/**
 * A place to drop files, which is a file button, too.
 * @module
 */
import { el } from './dom.ts';

let count = 0;

/** Takes files dropped on it or chosen by pointer or keyboard. `accept` as of an input. */
export function dropZone(options: {
  readonly label: string;
  readonly hint?: string;
  readonly accept?: string;
  readonly multiple?: boolean;
  readonly onFiles: (files: readonly File[]) => unknown;
}): HTMLElement {
  const id = `drop-${count++}`;
  const input = el('input', { type: 'file', id, accept: options.accept, multiple: options.multiple ?? false });
  const zone = el(
    'div',
    { class: 'drop' },
    el('label', { for: id }, el('strong', {}, options.label), el('span', { class: 'hint' }, options.hint ?? '')),
    input,
  );
  input.addEventListener('change', () => {
    if (input.files !== null && input.files.length > 0) options.onFiles([...input.files]);
    input.value = '';
  });
  zone.addEventListener('dragover', (e) => {
    e.preventDefault();
    zone.classList.add('over');
  });
  zone.addEventListener('dragleave', () => zone.classList.remove('over'));
  zone.addEventListener('drop', (e) => {
    e.preventDefault();
    zone.classList.remove('over');
    const files = [...(e.dataTransfer?.files ?? [])];
    if (files.length > 0) options.onFiles(options.multiple ? files : files.slice(0, 1));
  });
  return zone;
}
