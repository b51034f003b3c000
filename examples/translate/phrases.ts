/**
 * The parallel list that the translator learns from: English and German of what CLDR knows, by the engine's own Intl, and
 * numbers in words. `npx tsx examples/translate/phrases.ts train.tsv held-out.tsv` writes it in two parts.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** A phrase in both languages, and what kind it is. */
export interface Phrase {
  readonly kind: string;
  readonly english: string;
  readonly german: string;
}

/** Codes whose names are short: ISO 3166 (regions), ISO 639 (languages), ISO 4217 (currencies). */
const REGIONS =
  'AR AT AU BE BR CA CH CL CN CO CU CZ DE DK EG ES EE FI FR GB GR HR HU ID IE IL IN IS IT JM JP KE KR LT LU LV MA MT MX MY NG NL NO NP NZ PE PH PL PT PY RO RS SE SG SI SK SN TH TN TR TW TZ UA UG US UY VE VN ZA';
const LANGUAGES =
  'ar bg ca cs cy da de el en es et eu fa fi fr ga gl he hi hr hu id is it ja ka ko la lt lv mk ms mt nl no pl pt ro ru sk sl sq sr sv sw th tr uk ur vi yi zh zu';
const CURRENCIES = 'USD EUR JPY GBP CHF SEK NOK DKK PLN CZK INR CNY BRL MXN TRY ILS ZAR AUD CAD KRW';
const UNITS = 'kilometer meter liter gram kilogram hour minute second mile percent byte degree';
const SPANS: readonly Intl.RelativeTimeFormatUnit[] = ['second', 'minute', 'hour', 'day', 'week', 'month', 'year'];

const ONES = {
  en: 'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen',
  de: 'null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn',
};
const TENS = {
  en: '- - twenty thirty forty fifty sixty seventy eighty ninety',
  de: '- - zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig',
};

/** A number from 0 to 9,999 in English words. */
export function english(n: number): string {
  const rest = (m: number): string => (n % m === 0 ? '' : ` ${english(n % m)}`);
  if (n < 20) return ONES.en.split(' ')[n]!;
  if (n < 100) return `${TENS.en.split(' ')[Math.floor(n / 10)]!}${n % 10 === 0 ? '' : `-${english(n % 10)}`}`;
  if (n < 1000) return `${english(Math.floor(n / 100))} hundred${rest(100)}`;
  return `${english(Math.floor(n / 1000))} thousand${rest(1000)}`;
}

/** A number from 0 to 9,999 in German words: units stand before tens, and all is one word. */
export function german(n: number): string {
  const stem = (m: number): string => (m === 1 ? 'ein' : german(m));
  const rest = (m: number): string => (n % m === 0 ? '' : german(n % m));
  if (n < 20) return ONES.de.split(' ')[n]!;
  if (n < 100) return `${n % 10 === 0 ? '' : `${stem(n % 10)}und`}${TENS.de.split(' ')[Math.floor(n / 10)]!}`;
  if (n < 1000) return `${stem(Math.floor(n / 100))}hundert${rest(100)}`;
  return `${stem(Math.floor(n / 1000))}tausend${rest(1000)}`;
}

/** Numbers of a sequence that is the same everywhere (xorshift32). */
export function sequence(seed: number): (below: number) => number {
  let s = seed;
  return (below) => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return (s >>> 0) % below;
  };
}

type Both = (locale: string) => string;

/** Every kind of phrase: how many are drawn, and how one is. */
function kinds(next: (below: number) => number): Readonly<Record<string, readonly [count: number, draw: () => Both]>> {
  const pick = (words: string): string => words.split(' ')[next(words.split(' ').length)]!;
  const names = (type: Intl.DisplayNamesType, codes: string) => (): Both => {
    const chosen = Array.from({ length: 1 + next(3) }, () => pick(codes));
    const joined = next(4) === 0 ? 'disjunction' : 'conjunction';
    return (l) =>
      new Intl.ListFormat(l, { type: joined }).format(chosen.map((c) => new Intl.DisplayNames(l, { type }).of(c)!));
  };
  return {
    number: [
      9000,
      () => {
        const n = next(10_000);
        return (l) => (l === 'de' ? german(n) : english(n));
      },
    ],
    date: [
      9000,
      () => {
        const day = new Date(Date.UTC(1950 + next(100), next(12), 1 + next(28)));
        const dateStyle = (['full', 'long'] as const)[next(2)]!;
        return (l) => new Intl.DateTimeFormat(l, { dateStyle, timeZone: 'UTC' }).format(day);
      },
    ],
    money: [
      5000,
      () => {
        const [n, currency] = [next(2) === 0 ? next(100) : next(1000), pick(CURRENCIES)];
        const options = { style: 'currency', currency, currencyDisplay: 'name', maximumFractionDigits: 0 } as const;
        return (l) => new Intl.NumberFormat(l, options).format(n);
      },
    ],
    measure: [
      3000,
      () => {
        const [n, unit] = [next(2) === 0 ? next(100) : next(1000), pick(UNITS)];
        return (l) => new Intl.NumberFormat(l, { style: 'unit', unit, unitDisplay: 'long' }).format(n);
      },
    ],
    time: [
      3000,
      () => {
        const [n, unit] = [next(400) - 200, SPANS[next(SPANS.length)]!];
        return (l) => new Intl.RelativeTimeFormat(l).format(n, unit);
      },
    ],
    countries: [7000, names('region', REGIONS)],
    languages: [7000, names('language', LANGUAGES)],
  };
}

/** All phrases, each English one once, held-out ones apart: one of twenty, but never the name of one thing alone. */
export function phrases(): { readonly train: readonly Phrase[]; readonly heldOut: readonly Phrase[] } {
  const next = sequence(0x5a17);
  const [train, heldOut]: [Phrase[], Phrase[]] = [[], []];
  const seen = new Set<string>();
  const clean = (s: string): string => s.replaceAll(/[\u00a0\u202f]/g, ' ');
  for (const [kind, [count, draw]] of Object.entries(kinds(next))) {
    for (let i = 0; i < count; i++) {
      const both = draw();
      const phrase = { kind, english: clean(both('en')), german: clean(both('de')) };
      const single = (kind === 'countries' || kind === 'languages') && !/,| and | or /.test(phrase.english);
      const out = next(20) === 0 && !single;
      if (seen.has(phrase.english)) continue;
      seen.add(phrase.english);
      (out ? heldOut : train).push(phrase);
    }
  }
  return { train, heldOut };
}

function write(path: string, list: readonly Phrase[]): void {
  writeFileSync(path, list.map((p) => `${p.kind}\t${p.english}\t${p.german}\n`).join(''));
  console.log(`${path}: ${list.length} phrases`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [train = 'train.tsv', heldOut = 'held-out.tsv'] = process.argv.slice(2);
  const list = phrases();
  write(train, list.train);
  write(heldOut, list.heldOut);
}
