import { describe, expect, it } from 'vitest';
import { english, german, phrases } from '../../examples/translate/phrases.ts';
import { decode, encode, heldOut, translate, translator } from '../../examples/translate/translator.ts';
import { createSession } from '../../src/index.ts';

describe('translate', () => {
  it('writes numbers in words', () => {
    expect(english(9071)).toBe('nine thousand seventy-one');
    expect(german(9071)).toBe('neuntausendeinundsiebzig');
    expect([german(0), german(1), german(101), german(1010)]).toEqual([
      'null',
      'eins',
      'einhunderteins',
      'eintausendzehn',
    ]);
  });

  it('holds out phrases that are not trained on', () => {
    const list = phrases();
    const train = new Set(list.train.map((p) => p.english));
    expect(list.heldOut.filter((p) => train.has(p.english))).toEqual([]);
  });

  it('has 95 % of a sample as the float network has them', async () => {
    const session = await createSession(translator());
    const sample = heldOut().filter((_, i) => i % 10 === 0);
    let same = 0;
    for (const p of sample) same += Number(decode(await translate(session, p.english)) === p.float);
    session.dispose();
    expect(same).toBeGreaterThanOrEqual(0.95 * sample.length);
  });

  it('refuses what it has no pieces for, and what is too long', () => {
    expect(() => encode('日本')).toThrow(RangeError);
    expect(() => encode('1'.repeat(20))).toThrow(RangeError);
    expect(encode('7')).toHaveLength(20);
  });
});
