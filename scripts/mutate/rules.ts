/**
 * Mutants by rule: literals ± 1, operators, min and max, operands swapped, branches swapped. Texts of errors are not
 * semantics and are left alone, as are types and imports.
 */
import { parseSync } from 'oxc-parser';

/** One change of a source file. */
export interface Mutant {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly rule: string;
  readonly line: number;
}

interface AstNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const BINARY: Readonly<Record<string, string>> = {
  '+': '-',
  '-': '+',
  '*': '+',
  '%': '*',
  '<<': '>>',
  '>>': '>>>',
  '>>>': '>>',
  '&': '|',
  '|': '&',
  '^': '&',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '===': '!==',
  '!==': '===',
  '==': '!=',
  '!=': '==',
  '**': '*',
  '/': '*',
};
const LOGICAL: Readonly<Record<string, string>> = { '&&': '||', '||': '&&' };
const ORDERED = new Set(['-', '%', '<<', '>>', '>>>', '**', '/']);
const METHODS: Readonly<Record<string, string>> = {
  min: 'max',
  max: 'min',
  min_s: 'max_s',
  max_s: 'min_s',
  add: 'sub',
  sub: 'add',
  every: 'some',
  some: 'every',
  floor: 'ceil',
  least: 'greatest',
  greatest: 'least',
  shr_s: 'shr_u',
  extend_low_i8x16_s: 'extend_high_i8x16_s',
  extend_low_i16x8_s: 'extend_high_i16x8_s',
  extmul_low_i32x4_s: 'extmul_high_i32x4_s',
  gt_s: 'ge_s',
  lt_s: 'le_s',
};
/** Calls whose arguments are words for people. */
const WORDS = new Set(['fail', 'assert', 'bad', 'wrong', 'printable']);

/** Calls whose two arguments are equals by definition: swapping them changes nothing. */
const SYMMETRIC = new Set(
  'mulhr mulhr4 min max min_s max_s hull add mul dot_i16x8_s sameDim sameShape samePoly imul addDim'.split(' '),
);
/**
 * Functions without a result that anything but a person or the clock sees: a dim in words; the few elements that keep the search
 * for equal constants short.
 */
const IDLE: Readonly<Record<string, readonly string[]>> = {
  'src/core/dim.ts': ['showDim'],
  'src/graph/validate.ts': ['sample'],
};

function isNode(v: unknown): v is AstNode {
  return typeof v === 'object' && v !== null && typeof (v as AstNode).type === 'string';
}

function calleeName(n: AstNode): string {
  const callee = n['callee'] as AstNode;
  return callee.type === 'MemberExpression' ? String((callee['property'] as AstNode)['name']) : String(callee['name']);
}

/** All mutants of a source text. AssemblyScript decorators are blanked before parsing. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const blank = source.replace(/@(inline|unmanaged|global|lazy|operator\([^)]*\))/g, (m) => ' '.repeat(m.length));
  const { program, errors } = parseSync('source.ts', blank);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]!.message}`);
  const out: Mutant[] = [];
  const text = (n: AstNode): string => source.slice(n.start, n.end);
  const put = (n: { start: number; end: number }, replacement: string, rule: string): void => {
    out.push({
      file,
      start: n.start,
      end: n.end,
      text: replacement,
      rule,
      line: source.slice(0, n.start).split('\n').length,
    });
  };
  const visit = (n: AstNode): void => {
    if (
      n.type.startsWith('TS') &&
      !['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression', 'TSTypeAssertion'].includes(n.type)
    )
      return;
    if (n.type.startsWith('Import') || n.type === 'ThrowStatement') return;
    if (n.type === 'CallExpression' && WORDS.has(calleeName(n))) return;
    if (n.type === 'FunctionDeclaration' && IDLE[file]?.includes(String((n['id'] as AstNode)['name']))) return;
    if (n.type === 'Property' && ['since', 'name'].includes(String((n['key'] as AstNode)['name']))) return;
    mutate(n);
    for (const [key, v] of Object.entries(n)) {
      if (key === 'typeAnnotation' || key === 'typeArguments' || key === 'returnType' || key === 'typeParameters')
        continue;
      for (const child of Array.isArray(v) ? v : [v]) if (isNode(child)) visit(child);
    }
  };
  const swap = (a: AstNode, b: AstNode, rule: string): void => {
    if (text(a) !== text(b))
      put({ start: a.start, end: b.end }, text(b) + source.slice(a.end, b.start) + text(a), rule);
  };
  const mutate = (n: AstNode): void => {
    switch (n.type) {
      case 'Literal': {
        const raw = text(n);
        if (typeof n['value'] === 'number') {
          put(n, String((n['value'] as number) + 1), 'literal + 1');
          put(n, `(${(n['value'] as number) - 1})`, 'literal − 1');
        } else if (/^\d+n$/.test(raw)) {
          put(n, `${BigInt(raw.slice(0, -1)) + 1n}n`, 'literal + 1');
          put(n, `(${BigInt(raw.slice(0, -1)) - 1n}n)`, 'literal − 1');
        } else if (typeof n['value'] === 'boolean') put(n, String(!n['value']), 'flag');
        break;
      }
      case 'BinaryExpression':
      case 'LogicalExpression': {
        const [a, b, op] = [n['left'] as AstNode, n['right'] as AstNode, n['operator'] as string];
        const other = BINARY[op] ?? LOGICAL[op];
        const at = a.end + source.slice(a.end, b.start).indexOf(op);
        const positive = a.type === 'Literal' && (op === '>>' || op === '>>>'); // both shifts of it are one
        if (other !== undefined && !positive) put({ start: at, end: at + op.length }, other, `${op} → ${other}`);
        if (ORDERED.has(op)) swap(a, b, 'operands swapped');
        break;
      }
      case 'CallExpression': {
        const args = n['arguments'] as AstNode[];
        const callee = n['callee'] as AstNode;
        const name = calleeName(n);
        const property = (callee.type === 'MemberExpression' ? callee['property'] : callee) as AstNode;
        const method = METHODS[name];
        if (method !== undefined && Object.hasOwn(METHODS, name)) put(property, method, `${name} → ${method}`);
        if (
          args.length >= 2 &&
          args[0]!.type !== 'ArrowFunctionExpression' &&
          !(args.length === 2 && SYMMETRIC.has(name))
        )
          swap(args[0]!, args[1]!, 'arguments swapped');
        break;
      }
      case 'ConditionalExpression':
        swap(n['consequent'] as AstNode, n['alternate'] as AstNode, 'branches swapped');
        break;
      case 'UnaryExpression':
        if (n['operator'] === '-' || n['operator'] === '!')
          put({ start: n.start, end: n.start + 1 }, ' ', `no ${n['operator']}`);
        break;
      case 'AssignmentExpression': {
        const op = n['operator'] as string;
        const other = op === '+=' ? '-=' : op === '-=' ? '+=' : op === '*=' ? '+=' : undefined;
        const at = (n['left'] as AstNode).end + source.slice((n['left'] as AstNode).end).indexOf(op);
        if (other !== undefined) put({ start: at, end: at + op.length }, other, `${op} → ${other}`);
        break;
      }
    }
  };
  visit(program as unknown as AstNode);
  return out.filter((m) => source.slice(m.start, m.end) !== m.text);
}
