#!/usr/bin/env node
/**
 * The command line: one file a command.
 * @module
 */
import { Command, CommanderError, Help } from 'commander';
import { addBench } from './bench.ts';
import { addBuy } from './buy.ts';
import { coloursOf } from './colours.ts';
import { addCompile } from './compile.ts';
import { addCompletion } from './completion.ts';
import { addConvert } from './convert.ts';
import { addDiff } from './diff.ts';
import { addDispute } from './dispute.ts';
import { addDoctor } from './doctor.ts';
import { reportError, UsageError } from './errors.ts';
import { addEval } from './eval.ts';
import { EXAMPLES, examplesText } from './examples.ts';
import { addInfo } from './info.ts';
import { addInspect } from './inspect.ts';
import { addMarket } from './market.ts';
import { version } from './package.ts';
import { addPublish } from './publish.ts';
import { addRun } from './run.ts';
import { addServe } from './serve.ts';
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
    addDiff,
    addRun,
    addVerify,
    addEval,
    addBench,
    addDispute,
    addMarket,
    addPublish,
    addBuy,
    addWork,
    addServe,
    addDoctor,
    addCompletion,
  ])
    add(program);
  for (const command of program.commands)
    command
      .exitOverride()
      .configureOutput({ writeErr: () => undefined })
      .configureHelp(HELP)
      .addHelpText('after', examplesText(command.name()));
  program.configureHelp(HELP).addHelpText('after', '\nsamebit COMMAND --help has examples of each.');
  return program;
}

const colours = coloursOf(process.stdout);
/** How help looks: required options say so, titles stand out. */
const HELP: Partial<Help> = {
  styleTitle: (text) => colours.bold(text),
  styleCommandText: (text) => colours.cyan(text),
  optionDescription(option) {
    const text = Help.prototype.optionDescription.call(this, option);
    return option.mandatory && option.defaultValue === undefined ? `required: ${text}` : text;
  },
};

/** Misuse that commander found, in our form; undefined for help and version. */
function misuse(e: CommanderError, program: Command): UsageError | undefined {
  if (e.exitCode === 0) return undefined;
  if (e.code === 'commander.help')
    return new UsageError(
      'NoCommand',
      'there is no command',
      `Choose one of ${program.commands.map((c) => c.name()).join(', ')}; samebit --help lists them.`,
    );
  const message = e.message.replace(/^error: /, '').replace(/\n/g, ' ');
  return new UsageError(e.code.replace(/^commander\./, ''), message, nextStep(e, message, program));
}

/** What to type next: the command that was meant, an example of it, or its help. */
function nextStep(e: CommanderError, message: string, program: Command): string {
  const name = program.commands.find((c) => c.name() === program.args[0])?.name();
  const meant = /\(Did you mean (?:one of )?([\w-]+)/.exec(message)?.[1];
  if (name === undefined)
    return e.code === 'commander.unknownCommand' && meant !== undefined
      ? `samebit ${meant} --help says how it is used.`
      : 'samebit --help lists the commands.';
  const example = EXAMPLES[name]?.[0]?.[0];
  const missing = /missing/i.test(e.code) && example !== undefined;
  return missing ? `For example: samebit ${example}` : `samebit ${name} --help lists the options.`;
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
