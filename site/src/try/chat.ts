/**
 * A character transformer that answers.
 * @module
 */
import { encode, decode as lettersOf, type oneStep, talk } from '../../../examples/chat/talk.ts';
import { byId, say } from '../shell/dom.ts';
import type { Failure } from '../shell/error.ts';
import { ms } from '../shell/format.ts';
import { chosen, facts, guarded, sessionOf } from './run.ts';

/** Letters of an answer. */
const LETTERS = 160;

/** Makes the demo work. */
export function chat(): void {
  const [said, out] = [byId('chat-said'), byId('chat-out')];
  const go = byId<HTMLButtonElement>('chat-go');
  const answer = guarded(out, async () => {
    said.textContent = '';
    out.replaceChildren();
    const text = byId<HTMLTextAreaElement>('chat-text').value;
    if (text === '')
      throw {
        family: 'InputError',
        code: 'Empty',
        message: 'nothing was said',
        next: 'Write at least one letter.',
      } satisfies Failure;
    encode(text); // a letter that the model does not know is refused before anything runs
    const seed = Int32Array.of(Number(byId<HTMLInputElement>('chat-seed').value) | 0, 0);
    const backend = chosen();
    const session = await sessionOf('chat');
    let [gas, digest, steps] = [0n, '', 0];
    const engine = {
      name: backend,
      run: async (inputs: Parameters<Parameters<typeof oneStep>[0]['run']>[0]) => {
        const result = await session.run(inputs);
        gas += result.gasUsed;
        steps++;
        digest = result.digest;
        return Object.fromEntries(Object.entries(result.outputs).map(([name, t]) => [name, t.data]));
      },
    };
    const from = performance.now();
    for await (const code of talk(session.model, engine as never, text, LETTERS, seed)) said.append(lettersOf([code]));
    const time = performance.now() - from;
    const line = `${ms(time)}, ${Math.round((LETTERS / time) * 1000)} letters a second, ${steps} steps; the digest is the last one's`;
    out.replaceChildren(facts(backend, line, gas, digest));
    say('The answer is complete');
  });
  go.addEventListener('click', async () => {
    go.disabled = true;
    await answer();
    go.disabled = false;
    go.focus();
  });
}
