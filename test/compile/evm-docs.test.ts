/** The programs of docs/evm.md run: the command, the library, and the contract that calls a model. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createAddressFromString } from '@ethereumjs/util';
import { decodeFunctionResult, encodeAbiParameters, encodeFunctionData, type Hex, parseAbi } from 'viem';
import { expect, it } from 'vitest';
import { toEvm } from '../../src/compile.ts';
import { createSession, loadModel } from '../../src/index.ts';
import { folder, ROOT, samebit } from '../cli/samebit.ts';
import { createEvm } from '../support/evm.ts';

const text = readFileSync(join(ROOT, 'docs/evm.md'), 'utf8');
const fence = (language: string): string =>
  new RegExp(`^\`\`\`${language}[^\\n]*\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(text)![1]!;
const solc = createRequire(import.meta.url)('solc') as { compile(input: string): string };
const hex = (bytes: Uint8Array): Hex => `0x${Buffer.from(bytes).toString('hex')}`;
const bytes = (data: Hex): Uint8Array => new Uint8Array(Buffer.from(data.slice(2), 'hex'));

it('compiles, deploys and calls as docs/evm.md says', { timeout: 180_000 }, async () => {
  const work = folder();
  for (const line of fence('console').trim().split('\n')) {
    const words = line
      .replace('$ npx samebit ', '')
      .replaceAll('examples/', `${join(ROOT, 'examples')}/`)
      .split(' ');
    expect(samebit(words, work).code, line).toBe(0);
  }

  const program = toEvm(loadModel(new Uint8Array(readFileSync(join(work, 'credit.sbm')))));
  const { creation } = program.main();
  expect(readFileSync(join(work, 'credit/main.hex'), 'utf8').trim()).toBe(hex(creation));
  expect(program.gas).toBeLessThan(30000n);
  expect(program.data).toEqual([]);

  const script = fence('ts').replaceAll(/'samebit(?:\/(\w+))?'/g, (_, entry: string | undefined) =>
    JSON.stringify(join(ROOT, 'src', `${entry ?? 'index'}.ts`)),
  );
  writeFileSync(join(work, 'program.mts'), script);
  const printed = execFileSync(join(ROOT, 'node_modules/.bin/tsx'), ['program.mts'], { cwd: work, encoding: 'utf8' });
  expect(printed.trim()).toBe(`${program.gas}n ${program.codeBytes} 0\n${creation.length} ${68 + 128}`);

  const sources = { 'Credit.sol': { content: fence('solidity') }, 'IModel.sol': { content: program.solidity } };
  const settings = { evmVersion: 'shanghai', outputSelection: { '*': { '*': ['evm.bytecode.object'] } } };
  const compiled = JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', sources, settings }))) as {
    errors?: { formattedMessage: string }[];
    contracts: Record<string, Record<string, { evm: { bytecode: { object: string } } }>>;
  };
  expect(compiled.errors ?? []).toEqual([]);

  const vm = await createEvm();
  const caller = createAddressFromString(`0x${'11'.repeat(20)}`);
  const deploy = async (data: Uint8Array): Promise<Hex> => {
    const { createdAddress, execResult } = await vm.evm.runCall({ caller, data, gasLimit: 30_000_000n });
    expect(execResult.exceptionError).toBeUndefined();
    return createdAddress!.toString();
  };
  const model = await deploy(creation);
  const { object } = compiled.contracts['Credit.sol']!.Credit!.evm.bytecode;
  const argument = encodeAbiParameters([{ type: 'address' }], [model]);
  const credit = await deploy(bytes(`0x${object}${argument.slice(2)}`));

  const abi = parseAbi(['function risk(int16[61] features) view returns (int16)']);
  const features = Int16Array.from({ length: 61 }, (_, i) => (i % 7) * 900 - 2000);
  const data = encodeFunctionData({ abi, args: [[...features] as never] });
  const to = createAddressFromString(credit);
  const { execResult } = await vm.evm.runCall({ caller, to, data: bytes(data), gasLimit: 10_000_000n });
  const loaded = loadModel(new Uint8Array(readFileSync(join(work, 'credit.sbm'))));
  const session = await createSession(loaded, { backend: 'reference' });
  const { outputs } = await session.run({ features: { dtype: 'i16', shape: [1, 61], data: features } });
  expect(decodeFunctionResult({ abi, data: hex(execResult.returnValue) })).toBe(outputs.p_bad!.data[0]);
});
