/**
 * Examples of each command, as `--help` shows them and as the next step after a misuse.
 * @module
 */

/** A command line behind `samebit`, and what it does. */
export type Example = readonly [line: string, does: string];

const CHAIN = '--rpc http://127.0.0.1:8545';

/** Examples by command. */
export const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  convert: [
    ['convert model.onnx -o model.sbm --calib samples.npy', 'from a few hundred samples'],
    ['convert digits.onnx -o digits.sbm --calib images.npy --input-type u8 --std 255', 'inputs are bytes of pixels'],
    ['convert text.onnx -o text.sbm --calib tokens.npy --dim T=1..64', 'a length that stays open'],
    ['convert model.onnx -o model.sbm --calib samples.npy --report report.html', 'with a page about each layer'],
  ],
  compile: [
    ['compile model.sbm -o model.wasm', 'a WebAssembly module without imports'],
    ['compile model.sbm -o model --target evm', 'a contract, its ABI and its interface'],
  ],
  info: [
    ['info model.sbm', 'signature, ops, gas, memory, bounds'],
    ['info model.sbm --json', 'every node'],
  ],
  inspect: [['inspect model.onnx --out graph.html', 'the graph as a page']],
  diff: [
    ['diff old.sbm new.sbm', 'what changed'],
    ['diff old.sbm new.sbm --json', 'for programs; exit code 1 where they differ'],
  ],
  run: [
    ['run model.sbm --input samples.npy --index 3', 'the fourth sample'],
    ['run model.sbm --input a=a.npy --input b=b.npy --backend auto', 'two inputs, the fastest backend'],
    ['run model.sbm --input x.npy --receipt folder', 'with what others need to check the run'],
  ],
  verify: [
    ['verify model.sbm', 'reference against wasm'],
    ['verify model.sbm --backends wasm,wasm:4,webgpu --runs 1000', 'others, more runs'],
  ],
  eval: [['eval model.sbm --onnx model.onnx --inputs test.npy --labels labels.npy', 'accuracy beside the float model']],
  bench: [['bench model.sbm --backends wasm,wasm:4 --runs 100', 'one thread against four']],
  assert: [['assert model.sbm --input x.npy --dispute 0x… --key key.txt', 'claim a run and defend it']],
  watch: [['watch model.sbm --input x.npy --dispute 0x… --key key.txt', 'challenge false claims']],
  search: [[`search ${CHAIN} --market 0x… --task digits --max-price 1000000`, 'offers by task and price']],
  fetch: [[`fetch 0x… ${CHAIN} --market 0x… -o model.sbm`, 'a body by its header hash']],
  peer: [['peer --add model.sbm --port 4747', 'put a body into the store and serve it']],
  gateway: [
    [`gateway ${CHAIN} --market 0x… --key key.txt --max-price 5000 --budget 1000000`, 'an API paid from a wallet'],
  ],
  publish: [
    [`publish model.sbm ${CHAIN} --market 0x… --key key.txt --price 0.00001ether --task digits`, 'put on offer'],
  ],
  hold: [[`hold model.sbm ${CHAIN} --market 0x… --key validator.txt`, 'say that this validator has the body']],
  buy: [
    [`buy model.sbm ${CHAIN} --market 0x… --key key.txt --input x.npy --max-price 5000`, 'a call that the chain runs'],
    [`buy model.sbm ${CHAIN} --job --jobs 0x… --key key.txt --input x.npy --fee 5000`, 'a job for a worker'],
  ],
  'serve-job': [[`serve-job a.sbm b.sbm ${CHAIN} --jobs 0x… --key key.txt --min-fee 1000`, 'work for fees']],
  challenge: [[`challenge a.sbm ${CHAIN} --jobs 0x… --key key.txt`, 'look after what workers deliver']],
  doctor: [['doctor', 'backends of this machine, and how to get the others']],
  completion: [
    ['completion bash > ~/.local/share/bash-completion/completions/samebit', 'bash'],
    ['completion zsh > ~/.zfunc/_samebit', 'zsh, with ~/.zfunc in fpath'],
    ['completion fish > ~/.config/fish/completions/samebit.fish', 'fish'],
  ],
};

/** Examples as the end of a help text. */
export function examplesText(command: string): string {
  const lines = (EXAMPLES[command] ?? []).map(([line, does]) => `  samebit ${line}\n      ${does}`);
  return `\nExamples:\n${lines.join('\n')}`;
}
