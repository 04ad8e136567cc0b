/** Patterns of approval rules: what a name or an argument has to be for a rule to hold (M8). */
import type { Call } from '../machines/protocol/call.ts';
import { canonical } from './fingerprint.ts';
import { UserError } from './errors.ts';
import { isRecord } from './jsonSchema.ts';

/** The whole text, in which `*` stands for any characters, none included; or a regular expression that is found in it. */
export type NamePattern = string | { regex: string };
/** As of a name, held against the text of a value; anything that is no text has to be equal. */
export type ArgumentPattern = NamePattern | number | boolean | null;

/** @throws UserError naming the owner of a pattern that is none. */
export function checkPattern(pattern: unknown, owner: string, kind: 'name' | 'value'): void {
  if (typeof pattern === 'string') return;
  if (isExpression(pattern) && Object.keys(pattern).length === 1) return void compiled(pattern.regex, owner);
  if (kind === 'value' && (pattern === null || typeof pattern === 'number' || typeof pattern === 'boolean')) return;
  const others = kind === 'value' ? ', or a number, true, false or null' : '';
  throw new UserError(`${owner} must be a text, in which * stands for any characters, or { regex: '…' }${others}; got ${JSON.stringify(pattern) ?? 'nothing'}.`);
}

export function fitsName(pattern: NamePattern, name: string): boolean {
  return typeof pattern === 'string' ? fitsText(pattern.split('*'), name) : compiled(pattern.regex, 'The pattern').test(name);
}

/** In one pass: what a model writes must not be able to make it slow. @param parts what stands between the `*`s. */
function fitsText(parts: readonly string[], text: string): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}

/** @param values what a path leads to; nothing where it leads nowhere. */
export function fitsValues(pattern: ArgumentPattern, values: readonly unknown[], quantity: 'all' | 'some'): boolean {
  const fit = (value: unknown) => fitsValue(pattern, value);
  return quantity === 'some' ? values.some(fit) : values.length > 0 && values.every(fit);
}

function fitsValue(pattern: ArgumentPattern, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof pattern !== 'string' && !isExpression(pattern)) return canonical(pattern) === canonical(value);
  return fitsName(pattern, typeof value === 'string' ? value : canonical(value));
}

/** What stands at a dotted path. Lists stand for their members, the last one included: each has to be looked at. */
export function valuesAt(given: unknown, path: string): readonly unknown[] {
  const keys = path.split('.');
  let values: unknown[] = [given];
  for (const key of keys) values = values.flatMap(membersOf).map((value) => (isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined));
  return values.flatMap(membersOf);
}

const membersOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

/** What the rules see of a call: the arguments as they are carried out. */
export function argumentsOfCall({ item, edited }: Call): unknown {
  switch (item.type) {
    case 'function_call':
      return parsed(edited ?? item.arguments);
    case 'hosted_tool_call':
      return parsed(item.arguments ?? String(item.providerData?.['arguments'] ?? ''));
    case 'computer_call':
      return { actions: item.actions ?? (item.action ? [item.action] : []) };
    case 'shell_call':
      return item.action;
    case 'apply_patch_call': {
      const { operation } = item;
      const moved = 'moveTo' in operation && operation.moveTo !== undefined ? [operation.path, operation.moveTo] : operation.path;
      return { ...operation, path: moved };
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // arguments that are no JSON have no paths
  }
}

const isExpression = (pattern: unknown): pattern is { regex: string } => isRecord(pattern) && typeof pattern.regex === 'string';
const expressions = new Map<string, RegExp>();

/** Each is compiled once. */
function compiled(source: string, owner: string): RegExp {
  const known = expressions.get(source);
  if (known) return known;
  try {
    const made = new RegExp(source);
    expressions.set(source, made);
    return made;
  } catch (error) {
    throw new UserError(`${owner} is no regular expression: ${(error as SyntaxError).message}`); // all that RegExp throws
  }
}
