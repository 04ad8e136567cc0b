/** Names and words: whole, meaningful, and about the library. */
import { posix } from 'node:path';
import { type Finding, type Node, type Source, at, isNode, lineAt, nodesIn } from './source.ts';

/** Words that say nothing, wherever they stand in a name. */
const EMPTY_WORDS = new Set(['util', 'utils', 'helper', 'helpers', 'manager', 'misc', 'common']);
/** Words that say nothing when they are the whole name. */
const EMPTY_NAMES = new Set(['handle', 'handler', 'process', 'data', 'info', 'stuff', 'temp', 'tmp']);

/** `allowed` are names that are not ours to choose. */
export function nameFindings(source: Source, allowed: ReadonlySet<string> = new Set()): Finding[] {
  const file = posix.basename(source.path).replace(/\.(test|test-d)?\.?(ts|js|mjs)$/, '');
  const parts = [...posix.dirname(source.path).split('/'), file];
  const paths = parts.filter(isEmptyName).map((part) => `${source.path}: "${part}" says nothing`);
  const exported = exportedNames(source.tree).filter(({ name }) => isEmptyName(name) && !allowed.has(name));
  return [...paths, ...exported.map(({ name, start }) => `${at(source, start)} exports ${name}, which says nothing`)];
}

/**
 * A bare `any` needs its reason beside it: a comment on its line, or one above it in the file that speaks of `any`. As an argument of
 * a generic (`Agent<any, any>`) it needs none: that is how TypeScript says "of whatever kind".
 */
export function anyFindings(source: Source): Finding[] {
  const commented = new Set(source.comments.map(({ start }) => lineAt(source.text, start)));
  const spoken = source.comments.find(({ value }) => value.includes('`any`'))?.start ?? Infinity;
  const generic = [...nodesIn(source.tree)].filter(({ type }) => type === 'TSTypeParameterInstantiation');
  const found = [...nodesIn(source.tree)].filter(({ type, start }) => type === 'TSAnyKeyword' && !generic.some((list) => list.start < start && start < list.end));
  return found.filter(({ start }) => start < spoken && !commented.has(lineAt(source.text, start))).map(({ start }) => `${at(source, start)} has an any without a reason`);
}

export function todoFindings({ path, text }: { path: string; text: string }): Finding[] {
  return linesWith(text, new RegExp(`\\b(${'TO'}${'DO'}|FIX${'ME'}|X${'XX'})\\b(?! ?\\(?#\\d+)`)).map((line) => `${path}:${line} has an open end without the number of its issue`);
}

/** Spelled in pieces, because this file is looked at too. */
const WORKPLACE = [
  `(?<![\\w.])/${'wo'}rk/`, `/${'tm'}p/`, `(?<![\\w.])/ro${'ot'}/`, `fa${'rm'}-`, `iss${'ues'} show`,
  `registry\\.npm${'js'}`, `npm${'mirror'}`, `"reso${'lved"'}`, `Co-Auth${'ored'}`, `Generated wi${'th'}`,
].map((pattern) => new RegExp(pattern, 'i'));

/** Nothing in the repository tells where or by whom it was made. */
export function workplaceFindings({ path, text }: { path: string; text: string }): Finding[] {
  return WORKPLACE.flatMap((pattern) => linesWith(text, pattern).map((line) => `${path}:${line} mentions a workplace (${pattern.source})`));
}

function isEmptyName(name: string): boolean {
  const words = name.split(/(?=[A-Z])|[-_.]/).map((word) => word.toLowerCase());
  return EMPTY_NAMES.has(name.toLowerCase()) || words.some((word) => EMPTY_WORDS.has(word));
}

function exportedNames(tree: Node): { name: string; start: number }[] {
  return [...nodesIn(tree)].filter(({ type }) => type === 'ExportNamedDeclaration').flatMap(({ declaration, specifiers }) => {
    const nodes = isNode(declaration) ? namesDeclared(declaration) : (specifiers as Node[]).map(({ exported }) => exported);
    return nodes.filter(isNode).map(({ name, start }) => ({ name: String(name), start }));
  });
}

function namesDeclared({ id, declarations }: Node): unknown[] {
  return Array.isArray(declarations) ? declarations.map((one: Node) => one.id) : [id];
}

function linesWith(text: string, pattern: RegExp): number[] {
  return text.split('\n').flatMap((line, index) => (pattern.test(line) ? [index + 1] : []));
}
