/**
 * Digests for eyes: characters in groups, a pattern of its own, a button that copies.
 * @module
 */
import { button, el, say } from './dom.ts';

const SVG = 'http://www.w3.org/2000/svg';

/** A pattern of 8 × 4 cells, one for each byte: equal digests look equal. Hidden from screen readers. */
export function pattern(hex: string): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 8 4');
  svg.setAttribute('class', 'pattern');
  svg.setAttribute('aria-hidden', 'true');
  for (let i = 0; i < 32; i++) {
    const byte = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
    const cell = document.createElementNS(SVG, 'rect');
    const place = { x: i % 8, y: Math.floor(i / 8), width: 1, height: 1 };
    for (const [name, value] of Object.entries(place)) cell.setAttribute(name, String(value));
    cell.setAttribute('fill', `hsl(${(byte >> 4) * 22.5} ${35 + (byte & 3) * 12}% ${35 + ((byte >> 2) & 3) * 11}%)`);
    svg.append(cell);
  }
  return svg;
}

/**
 * A digest or id of 64 hexadecimal characters.
 * @param length how many characters are shown; the button copies all
 */
export function digestView(hex: string, length = 64): HTMLElement {
  const shown = hex.slice(0, length);
  const groups = (shown.match(/.{1,8}/g) ?? []).map((g) => el('span', {}, g));
  const copy = button('Copy', async () => {
    await navigator.clipboard.writeText(hex);
    copy.textContent = 'Copied';
    say('Copied the digest');
    setTimeout(() => (copy.textContent = 'Copy'), 1500);
  });
  copy.className = 'quiet';
  copy.setAttribute('aria-label', `Copy ${hex.slice(0, 8)}…`);
  const more = length < hex.length ? '…' : '';
  return el('span', { class: 'digest', 'data-digest': hex }, pattern(hex), el('code', {}, ...groups, more), copy);
}
