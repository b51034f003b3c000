/**
 * How numbers and JSON are written: by commands, reports and pages alike.
 * @module
 */

/** One line of JSON. A BigInt is a number where that is exact, else a string. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) => {
    if (typeof v !== 'bigint') return v;
    return v >= BigInt(Number.MIN_SAFE_INTEGER) && v <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(v) : v.toString();
  });
}

/** An integer with commas at the thousands. */
export function grouped(n: number | bigint): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A ratio as a percentage with one decimal. */
export function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`;
}
