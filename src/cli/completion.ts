/**
 * `samebit completion`: a script for bash, zsh or fish, written from the commands and options themselves. It is static, so that
 * a completion does not start Node.
 * @module
 */
import type { Command, Option } from 'commander';
import { Argument } from 'commander';

/** Shells that have a script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

interface Item {
  readonly name: string;
  readonly description: string;
  readonly options: readonly Option[];
}

function itemsOf(program: Command): Item[] {
  return program.commands.map((c) => {
    const help = c.createHelp();
    return { name: c.name(), description: c.description(), options: help.visibleOptions(c) };
  });
}

const flagsOf = (o: Option): string[] => [o.short, o.long].filter((f) => f !== undefined);

/** Text within single quotes of a shell. */
function quoted(text: string): string {
  return `'${text.replace(/'/g, `'\\''`)}'`;
}

function bash(items: readonly Item[]): string {
  const cases = items.flatMap(({ name, options }) => {
    const values = options
      .filter((o) => o.argChoices !== undefined)
      .map((o) => `      ${flagsOf(o).join('|')}) words=${quoted(o.argChoices!.join(' '))} ;;`);
    const files = options.filter((o) => (o.required || o.optional) && o.argChoices === undefined).flatMap(flagsOf);
    return [
      `    ${name})`,
      '      case "$before" in',
      ...values,
      ...(files.length === 0 ? [] : [`      ${files.join('|')}) words='' ;;`]),
      `      *) [[ $word == -* ]] && words=${quoted(options.flatMap(flagsOf).join(' '))} ;;`,
      '      esac ;;',
    ];
  });
  return [
    '# bash completion of samebit',
    '_samebit() {',
    "  local word=$2 before=$3 words=''",
    '  if ((COMP_CWORD == 1)); then',
    `    words=${quoted([...items.map((i) => i.name), '--help', '--version'].join(' '))}`,
    '  else',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an array of bash
    '    case "${COMP_WORDS[1]}" in',
    ...cases,
    `    help) words=${quoted(items.map((i) => i.name).join(' '))} ;;`,
    '    esac',
    '  fi',
    '  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")',
    '}',
    'complete -o default -F _samebit samebit',
    '',
  ].join('\n');
}

/** A description within the brackets of zsh's _arguments. */
const bracketed = (text: string): string => text.replace(/[[\]:\\]/g, '\\$&');

function zsh(items: readonly Item[]): string {
  const spec = (o: Option): string[] => {
    const value =
      o.argChoices !== undefined
        ? `:value:(${o.argChoices.join(' ')})`
        : o.required || o.optional
          ? ':value:_files'
          : '';
    return flagsOf(o).map((f) => `        ${quoted(`*${f}[${bracketed(o.description)}]${value}`)}`);
  };
  return [
    '#compdef samebit',
    '_samebit() {',
    '  if ((CURRENT == 2)); then',
    '    local -a commands=(',
    ...items.map((i) => `      ${quoted(`${i.name}:${i.description.replace(/[:\\]/g, '\\$&')}`)}`),
    '    )',
    "    _describe 'command' commands",
    '    return',
    '  fi',
    '  local command=$words[2]',
    '  shift words',
    '  ((CURRENT--))',
    '  case $command in',
    ...items.flatMap((i) => [
      `    ${i.name})`,
      '      _arguments -s \\',
      ...i.options.flatMap(spec).map((s) => `${s} \\`),
      "        '*:file:_files' ;;",
    ]),
    '  esac',
    '}',
    'if [ "$funcstack[1]" = "_samebit" ]; then _samebit "$@"; else compdef _samebit samebit; fi',
    '',
  ].join('\n');
}

function fish(items: readonly Item[]): string {
  const option = (name: string, o: Option): string => {
    const value =
      o.argChoices !== undefined ? ` -x -a ${quoted(o.argChoices.join(' '))}` : o.required || o.optional ? ' -r' : '';
    const short = o.short === undefined ? '' : ` -s ${o.short.slice(1)}`;
    const long = o.long === undefined ? '' : ` -l ${o.long.slice(2)}`;
    return `complete -c samebit -n '__fish_seen_subcommand_from ${name}'${short}${long}${value} -d ${quoted(o.description)}`;
  };
  return [
    '# fish completion of samebit',
    ...items.map((i) => `complete -c samebit -n __fish_use_subcommand -f -a ${i.name} -d ${quoted(i.description)}`),
    ...items.flatMap((i) => i.options.map((o) => option(i.name, o))),
    '',
  ].join('\n');
}

/** The script of a shell. */
export function completionScript(program: Command, shell: (typeof SHELLS)[number]): string {
  return { bash, zsh, fish }[shell](itemsOf(program));
}

/** Adds the command. */
export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script that completes commands and options in a shell')
    .addArgument(new Argument('<SHELL>', 'the shell').choices(SHELLS))
    .action((shell: (typeof SHELLS)[number]) => {
      process.stdout.write(completionScript(program, shell));
    });
}
