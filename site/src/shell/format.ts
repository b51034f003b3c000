/**
 * Numbers for people.
 * @module
 */

const WHOLE = new Intl.NumberFormat('en');

/** A whole number with separators. */
export function whole(n: number | bigint): string {
  return WHOLE.format(n);
}

/** Milliseconds. */
export function ms(n: number): string {
  return n >= 10_000 ? `${(n / 1000).toFixed(1)} s` : `${n.toFixed(n < 10 ? 2 : n < 100 ? 1 : 0)} ms`;
}

/** Bytes in kB or MB. */
export function bytes(n: number): string {
  return n < 1e6 ? `${(n / 1e3).toFixed(1)} kB` : `${(n / 1e6).toFixed(2)} MB`;
}
