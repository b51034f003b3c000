/**
 * The command line: flags, or variables of the environment, and signals.
 * @module
 */
import { readFileSync, watch } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { SamebitError } from 'samebit';
import { LEVELS, RANGES, type ServeOptions } from './options.ts';
import { type Serving, serve } from './server.ts';

/** Milliseconds after the last of the changes that a copy makes. */
const SETTLED = 200;

interface Flags extends Omit<ServeOptions, 'key'> {
  readonly key?: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** What each number is, for --help. */
const NUMBERS: Readonly<Record<string, string>> = {
  port: 'port; 0 is any that is free',
  workers: 'threads that run models',
  queue: 'requests that wait, at most',
  batch: 'requests to one model that a worker gets at once, at most',
  loaded: 'models that a worker keeps ready, at most',
  bodyLimit: 'bytes of a request body, at most',
  modelLimit: 'bytes of a model file, at most',
  maxGas: 'gas of schedule 1 that a run may cost, at most',
  receiptGas: 'gas up to which receipts are made',
  timeout: 'milliseconds until an answer, at most',
  requestTimeout: 'milliseconds in which a request has to arrive',
  connections: 'open connections, at most',
  sessions: 'open sessions, at most',
  grace: 'milliseconds for requests under way at the end',
};

const EXAMPLES = `
Examples:
  samebit serve models/
  samebit serve models/ --port 0 --json --log warn
  samebit serve models/ --host 0.0.0.0 --key receipts.pem --watch

Every flag may stand in the environment: --max-gas is SAMEBIT_SERVE_MAX_GAS. SIGHUP reads the models again, SIGTERM ends the
server once it has answered.`;

function command(): Command {
  const program = new Command('samebit serve')
    .description('an inference server: every replica gives the same bits')
    .argument('<MODELS>', 'directory of *.sbm files')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .addHelpText('after', EXAMPLES);
  const add = (flag: string, about: string): Option => {
    const option = new Option(flag, about);
    return option.env(`SAMEBIT_SERVE_${option.name().replaceAll('-', '_').toUpperCase()}`);
  };
  program.addOption(add('--host <ADDRESS>', 'where to listen').default('127.0.0.1'));
  for (const [name, [lo, hi, byDefault]] of Object.entries(RANGES)) {
    const flag = name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
    const parse = (text: string): number => {
      const n = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
      if (!(n >= lo && n <= hi)) throw new InvalidArgumentError(`It must be a whole number in ${lo}…${hi}.`);
      return n;
    };
    program.addOption(add(`--${flag} <N>`, NUMBERS[name]!).argParser(parse).default(byDefault));
  }
  program.addOption(add('--key <FILE>', 'private ed25519 key in PEM that signs receipts'));
  program.addOption(add('--log <LEVEL>', 'level of the log on stderr').choices(LEVELS).default('info'));
  program.addOption(add('--watch', 'read the models again when the directory changes'));
  program.addOption(add('--json', 'print what happens as one JSON object a line'));
  return program;
}

/** An error in words: family and code, and the next step. */
function said(e: unknown): { family: string; code: string; message: string; hint: string; exit: number } {
  if (e instanceof CommanderError)
    return {
      family: 'UsageError',
      code: e.code.replace('commander.', ''),
      message: e.message.replace(/^error: /, ''),
      hint: 'samebit serve --help lists the options.',
      exit: 2,
    };
  if (e instanceof SamebitError) return { family: e.family, code: e.code, message: e.message, hint: e.hint, exit: 1 };
  const { code = 'Unexpected', message, syscall } = e as NodeJS.ErrnoException;
  const hint =
    code === 'EADDRINUSE'
      ? 'Pass another --port; 0 is any that is free.'
      : 'Check the paths, the address and the port.';
  if (syscall !== undefined) return { family: 'UsageError', code, message, hint, exit: 2 };
  return { family: 'Bug', code: 'Unexpected', message, hint: 'This is a bug of samebit; please report it.', exit: 70 };
}

/** Reads the models again when the directory changes, until the first signal to end. */
async function stay(server: Serving, directory: string | undefined, reload: () => void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const later = (): void => {
    clearTimeout(timer);
    timer = setTimeout(reload, SETTLED);
  };
  const watcher = directory === undefined ? undefined : watch(directory, later);
  await new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done());
  });
  clearTimeout(timer);
  watcher?.close();
  await server.close();
}

/**
 * Runs the command until a signal ends it. Failures are printed, and set the exit code.
 * @param args what stands behind `samebit serve`
 */
export async function run(args: readonly string[]): Promise<void> {
  const program = command();
  let json = args.includes('--json');
  const tell = (e: unknown): number => {
    const { exit, ...error } = said(e);
    process.stderr.write(
      json
        ? `${JSON.stringify({ error })}\n`
        : `${error.family} ${error.code}: ${error.message}\n  next: ${error.hint}\n`,
    );
    return exit;
  };
  let server: Serving | undefined;
  const reload = (): void => void server?.reload().catch(tell);
  try {
    program.parse(args, { from: 'user' });
    const { key: path, watch: watched = false, json: asJson = false, ...rest } = program.opts<Flags>();
    json = asJson;
    const models = program.args[0]!;
    const key = path === undefined ? undefined : readFileSync(path, 'utf8');
    process.on('SIGHUP', reload);
    server = await serve({ ...rest, models, key });
    const stays = stay(server, watched ? models : undefined, reload);
    process.stdout.write(
      json
        ? `${JSON.stringify({ event: 'listening', url: server.url, models: server.models })}\n`
        : `serving ${server.models.length} models at ${server.url}; Ctrl-C ends it\n`,
    );
    await stays;
  } catch (e) {
    if (e instanceof CommanderError && e.exitCode === 0) return;
    process.exitCode = tell(e);
  } finally {
    process.off('SIGHUP', reload);
  }
}
