/**
 * Small charts as inline SVG, in the colours of the page.
 * @module
 */
import { html } from './page.ts';

const fixed = (v: number): string => v.toFixed(1);

/** A share of 1 as a bar with its text. */
export function bar(share: number, text: string, width = 90): string {
  const w = Math.max(0, Math.min(1, share)) * width;
  return `<svg width="${Math.ceil(width + 12 + 6.4 * text.length)}" height="16" role="img" aria-label="${html(text)}"><rect width="${fixed(w)}" height="12" y="2" rx="2" fill="var(--bar)"/><text class="ink" x="${fixed(w + 5)}" y="12">${html(text)}</text></svg>`;
}

/** Counts between lo and hi; the type's limits are lines, and what lies beyond them is drawn in another colour. */
export function histogram(
  counts: readonly number[],
  [lo, hi]: readonly [number, number],
  limits: readonly [number, number],
): string {
  const [width, height] = [132, 30];
  const top = Math.log(1 + Math.max(1, ...counts));
  const step = width / counts.length;
  const place = (v: number): number => ((v - lo) / (hi - lo || 1)) * width;
  const bars = counts.map((n, i) => {
    if (n === 0) return '';
    const h = Math.max(1, (Math.log(1 + n) / top) * (height - 2));
    const middle = lo + ((i + 0.5) / counts.length) * (hi - lo);
    const cut = middle < limits[0] || middle > limits[1];
    return `<rect x="${fixed(i * step)}" y="${fixed(height - h)}" width="${fixed(Math.max(1, step - 0.4))}" height="${fixed(h)}" fill="var(--${cut ? 'orange' : 'bar'})"/>`;
  });
  const lines = limits.map((v) => place(v)).filter((x) => x >= 0 && x <= width);
  const marks = lines.map((x) => `<line x1="${fixed(x)}" x2="${fixed(x)}" y1="0" y2="${height}" stroke="var(--red)"/>`);
  const label = `values ${lo.toPrecision(3)} to ${hi.toPrecision(3)}, integers reach ${limits[0].toPrecision(3)} to ${limits[1].toPrecision(3)}`;
  return `<svg width="${width}" height="${height}" role="img" aria-label="${html(label)}"><title>${html(label)}</title>${bars.join('')}${marks.join('')}</svg>`;
}

/** A dot for every layer over its decibels, a line at the target; undefined values leave a gap. */
export function dots(values: readonly (number | undefined)[], names: readonly string[], target: number): string {
  const [width, height, left, bottom] = [960, 240, 44, 26];
  const known = values.filter((v): v is number => v !== undefined && Number.isFinite(v));
  const top = Math.max(60, ...known.map((v) => Math.ceil(v / 10) * 10));
  const low = Math.min(0, ...known.map((v) => Math.floor(v / 10) * 10));
  const x = (i: number): number => left + ((i + 0.5) / Math.max(1, values.length)) * (width - left - 12);
  const y = (v: number): number => 8 + (1 - (v - low) / (top - low)) * (height - bottom - 8);
  const grid: string[] = [];
  for (let v = low; v <= top; v += 20)
    grid.push(
      `<line x1="${left}" x2="${width - 12}" y1="${fixed(y(v))}" y2="${fixed(y(v))}" stroke="var(--line)"/><text x="${left - 6}" y="${fixed(y(v) + 4)}" text-anchor="end">${v}</text>`,
    );
  const goal =
    target > 0
      ? `<line x1="${left}" x2="${width - 12}" y1="${fixed(y(target))}" y2="${fixed(y(target))}" stroke="var(--green)" stroke-dasharray="5 4"/>`
      : '';
  const marks = values.map((v, i) => {
    if (v === undefined || Number.isNaN(v)) return '';
    const own = Number.isFinite(v) ? v : top;
    const text = `${names[i]}: ${Number.isFinite(v) ? `${v.toFixed(1)} dB` : 'exact'}`;
    const colour = Number.isFinite(v) && v < target ? 'orange' : 'blue';
    return `<circle cx="${fixed(x(i))}" cy="${fixed(y(own))}" r="3.2" fill="var(--${colour})"><title>${html(text)}</title></circle>`;
  });
  const below = `dB of each layer, in order of execution${target > 0 ? `; dashed: the target of the outputs, ${target} dB` : ''}`;
  return `<div class="scroll"><svg class="wide" viewBox="0 0 ${width} ${height}" role="img" aria-label="signal to error by layer in decibels">${grid.join('')}${goal}${marks.join('')}<text x="${left}" y="${height - 8}">${below}</text></svg></div>`;
}

/** Two lists of values side by side: a pair of bars each, from zero. */
export function pairs(a: readonly number[], b: readonly number[]): string {
  const [width, height] = [Math.max(220, a.length * 18 + 40), 110];
  const [hi, lo] = [Math.max(0, ...a, ...b), Math.min(0, ...a, ...b)];
  const y = (v: number): number => 6 + (1 - (v - lo) / (hi - lo || 1)) * (height - 26);
  const one = (v: number, i: number, at: number, colour: string): string =>
    `<rect x="${fixed(40 + i * 18 + at)}" y="${fixed(Math.min(y(0), y(v)))}" width="7" height="${fixed(Math.max(1, Math.abs(y(v) - y(0))))}" fill="var(--${colour})"><title>${html(`${i}: ${v.toPrecision(5)}`)}</title></rect>`;
  const all = a.map((v, i) => one(v, i, 0, 'blue') + one(b[i]!, i, 8, 'orange'));
  const axis = [hi, lo].map((v) => `<text x="36" y="${fixed(y(v) + 4)}" text-anchor="end">${v.toPrecision(3)}</text>`);
  return `<svg width="${width}" height="${height}" role="img" aria-label="float and integer values">${all.join('')}<line x1="40" x2="${width}" y1="${fixed(y(0))}" y2="${fixed(y(0))}" stroke="var(--soft)"/>${axis.join('')}</svg>`;
}

/** Each integer value over its float one, with the ends of the floats below. */
export function scatter(a: readonly number[], b: readonly number[]): string {
  const size = 220;
  const [lo, hi] = [Math.min(...a, ...b), Math.max(...a, ...b)];
  const at = (v: number): number => 8 + ((v - lo) / (hi - lo || 1)) * (size - 16);
  const marks = a.map(
    (v, i) =>
      `<circle cx="${fixed(at(v))}" cy="${fixed(size - at(b[i]!))}" r="1.6" fill="var(--blue)" fill-opacity="0.6"/>`,
  );
  const ends = `<text x="2" y="${size + 14}">${lo.toPrecision(3)}</text><text x="${size / 2}" y="${size + 14}" text-anchor="middle">float</text><text x="${size - 2}" y="${size + 14}" text-anchor="end">${hi.toPrecision(3)}</text>`;
  return `<svg width="${size}" height="${size + 18}" role="img" aria-label="integer over float values"><rect x="1" y="1" width="${size - 2}" height="${size - 2}" fill="none" stroke="var(--line)"/><line x1="8" y1="${size - 8}" x2="${size - 8}" y2="8" stroke="var(--soft)" stroke-dasharray="4 4"/>${marks.join('')}${ends}</svg>`;
}
