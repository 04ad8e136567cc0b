/** Sources as the rules see them: text, lines and syntax tree. */
import { readFileSync, readdirSync } from 'node:fs';
import { parseSync } from 'vite';

/** A node of the syntax tree in ESTree form; what it holds depends on its type, so fields are looked at one by one. */
export interface Node { type: string; start: number; end: number; [field: string]: unknown }
export interface Source {
  /** From the root of the repository, with `/`. */
  path: string;
  text: string;
  tree: Node;
  comments: { value: string; start: number; end: number }[];
}
/** Where a rule is broken, and how. */
export type Finding = string;
export type Rule = (source: Source) => Finding[];

export function sourceOf(path: string, text: string): Source {
  const { program, comments, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]!.message}`);
  return { path, text, tree: program as unknown as Node, comments }; // the rules look at a tree of another version the same way
}

const ROOT = new URL('../../', import.meta.url);
const SKIPPED = new Set(['node_modules', 'dist', 'coverage', '.git', '.cache']);

/** Paths of all files in the repository that are not made by a tool. */
export function filesIn(folder = ''): string[] {
  return readdirSync(new URL(folder, ROOT), { withFileTypes: true })
    .flatMap((entry) => (SKIPPED.has(entry.name) ? [] : entry.isDirectory() ? filesIn(`${folder}${entry.name}/`) : [`${folder}${entry.name}`]))
    .sort();
}

export const textOf = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

/** Every node below (and with) this one, parents first. */
export function* nodesIn(node: Node): Generator<Node> {
  yield node;
  for (const child of childrenOf(node)) yield* nodesIn(child);
}

export function childrenOf(node: Node): Node[] {
  return Object.values(node).flat().filter(isNode);
}

export const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

export const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

export const at = ({ path, text }: Source, offset: number): string => `${path}:${lineAt(text, offset)}`;
