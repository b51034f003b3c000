/**
 * What is wrong with options: a misspelt name is an error, since it would be ignored.
 * @module
 */

/** Letters to insert, leave out or change between two words, whatever their case. */
function distance(a: string, b: string): number {
  let row = [...b].map((_, j) => j + 1);
  [...a].forEach((c, i) => {
    let [corner, left] = [i, i + 1];
    row = row.map((above, j) => {
      left = Math.min(left + 1, above + 1, corner + (c === b[j] ? 0 : 1));
      corner = above;
      return left;
    });
  });
  return row[row.length - 1]!;
}

/** What is wrong with options that are no record of known names: says the nearest. */
export function misspelt(options: unknown, known: readonly string[]): TypeError {
  if (typeof options !== 'object' || options === null)
    return new TypeError(`options are an object: { ${known[0]}: … }, not ${String(options)}`);
  const name = Object.keys(options).find((key) => !known.includes(key))!;
  const far = (k: string): number => distance(name.toLowerCase(), k.toLowerCase());
  const [nearest] = [...known].sort((a, b) => far(a) - far(b));
  return new TypeError(`unknown option ${name}: did you mean ${nearest}? The options are ${known.join(', ')}`);
}

/** What is wrong with a backend that is none. */
export function noBackend(b: unknown, names: readonly string[]): TypeError {
  if (typeof b === 'string') return new TypeError(`unknown backend ${b}; this package has ${names.join(', ')}`);
  return new TypeError(`a backend is a name or what a package exports, not ${String(b)}`);
}

/** What the value of an option may be: a test, and the same in words. */
export type OptionRule = readonly [holds: (v: unknown) => boolean, words: string];

/** A whole number from `least`. */
export function wholeFrom(least: number): OptionRule {
  return [(v) => Number.isSafeInteger(v) && (v as number) >= least, `a whole number from ${least}`];
}

/** One of some names. */
export function oneOf(names: readonly string[]): OptionRule {
  return [(v) => names.includes(v as string), `one of ${names.join(', ')}`];
}

/** A truth value. */
export const FLAG: OptionRule = [(v) => typeof v === 'boolean', 'true or false'];

/** An object or a function. */
export const OBJECT: OptionRule = [
  (v) => (typeof v === 'object' && v !== null) || typeof v === 'function',
  'an object',
];

/** A function. */
export const FUNCTION: OptionRule = [(v) => typeof v === 'function', 'a function'];

/**
 * Holds options against a rule for each name; what is undefined is left out.
 * @throws TypeError an unknown name, or a value that breaks its rule
 */
export function checkOptions(options: object, rules: Readonly<Record<string, OptionRule>>): void {
  const names = Object.keys(rules);
  if (typeof options !== 'object' || options === null || Object.keys(options).some((key) => !Object.hasOwn(rules, key)))
    throw misspelt(options, names);
  for (const [name, value] of Object.entries(options)) {
    const [holds, words] = rules[name]!;
    if (value !== undefined && !holds(value)) throw new TypeError(`option ${name} is ${words}, not ${String(value)}`);
  }
}
