/**
 * Elements.
 * @module
 */

type Child = Node | string | null | undefined | false;

/** A new element; attributes that are false or undefined are left off, `on…` functions listen. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, unknown>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false || value === null) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

/** The element of an id. @throws Error where the page has none */
export function byId<T extends Element = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as unknown as T;
}

/** A button with a listener. */
export function button(label: string, onclick: () => unknown, attributes: Readonly<Record<string, unknown>> = {}) {
  return el('button', { type: 'button', ...attributes, onclick }, label);
}

/** Says a line to screen readers. */
export function say(line: string): void {
  byId('status').textContent = line;
}

/** Offers bytes or text as a file. */
export function download(name: string, content: BlobPart, type = 'application/octet-stream'): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  el('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
