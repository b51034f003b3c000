#!/usr/bin/env node
/**
 * The command line: one file a command.
 * @module
 */
import { Command, CommanderError } from 'commander';
import { addBench } from './bench.ts';
import { addBuy } from './buy.ts';
import { addCompile } from './compile.ts';
import { addConvert } from './convert.ts';
import { addDispute } from './dispute.ts';
import { addDoctor } from './doctor.ts';
import { reportError, UsageError } from './errors.ts';
import { addEval } from './eval.ts';
import { addInfo } from './info.ts';
import { addInspect } from './inspect.ts';
import { addMarket } from './market.ts';
import { version } from './package.ts';
import { addPublish } from './publish.ts';
import { addRun } from './run.ts';
import { addVerify } from './verify.ts';
import { addWork } from './work.ts';

function build(): Command {
  const program = new Command('samebit')
    .description('deterministic neural networks: same model, same input, same bits')
    .version(version())
    .configureOutput({ writeErr: () => undefined }) // errors are printed once, below
    .exitOverride()
    .showSuggestionAfterError();
  for (const add of [
    addConvert,
    addCompile,
    addInfo,
    addInspect,
    addRun,
    addVerify,
    addEval,
    addBench,
    addDispute,
    addMarket,
    addPublish,
    addBuy,
    addWork,
    addDoctor,
  ])
    add(program);
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => undefined });
  return program;
}

/** Misuse that commander found, in our form; undefined for help and version. */
function misuse(e: CommanderError, program: Command): UsageError | undefined {
  if (e.exitCode === 0) return undefined;
  if (e.code === 'commander.help')
    return new UsageError(
      'NoCommand',
      'there is no command',
      `Choose one of ${program.commands.map((c) => c.name()).join(', ')}; samebit --help lists them.`,
    );
  const command =
    program.args[0] !== undefined && program.commands.some((c) => c.name() === program.args[0])
      ? ` ${program.args[0]}`
      : '';
  return new UsageError(
    e.code.replace(/^commander\./, ''),
    e.message.replace(/^error: /, '').replace(/\n/g, ' '),
    `samebit${command} --help lists the options.`,
  );
}

async function main(args: readonly string[]): Promise<void> {
  const program = build();
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (e) {
    const error = e instanceof CommanderError ? misuse(e, program) : e;
    if (error !== undefined) process.exitCode = reportError(error, args.includes('--json'));
  }
}

// A closed pipe (samebit info … | head) is no failure.
process.stdout.on('error', (e: NodeJS.ErrnoException) => {
  if (e.code !== 'EPIPE') throw e;
  process.exit(0);
});
await main(process.argv.slice(2));
