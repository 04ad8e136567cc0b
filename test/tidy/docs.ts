/** What the front door offers is explained where it is made. */
import { posix } from 'node:path';
import { type Finding, type Node, type Source, at, isNode } from './source.ts';

/** Functions, classes and constants of an entry without a docstring. `open` gives the source of a path in the repository. */
export function docFindings(entry: Source, open: (path: string) => Source): Finding[] {
  const firsts = new Map<string, Offer>(); // The first of several overloads speaks for all of them.
  for (const offer of offered(entry, open)) if (!firsts.has(offer.name)) firsts.set(offer.name, offer);
  return [...firsts.values()].flatMap(({ source, name, start }) => (isExplained(source, start) ? [] : [`${at(source, start)} ${name} has no docstring`]));
}

interface Offer { source: Source; name: string; start: number }

function offered(source: Source, open: (path: string) => Source, wanted?: ReadonlySet<string>): Offer[] {
  return statementsOf(source).flatMap((statement) => {
    if (statement.exportKind === 'type') return [];
    if (isNode(statement.source)) return offered(open(targetOf(source, statement.source)), open, namesWanted(statement, wanted));
    return isNode(statement.declaration) ? declared(source, statement, statement.declaration).filter(({ name }) => wanted?.has(name) ?? true) : [];
  });
}

/** `export * from` passes on what was wanted; a list says itself what it wants. */
function namesWanted({ type, specifiers }: Node, wanted: ReadonlySet<string> | undefined): ReadonlySet<string> | undefined {
  if (type === 'ExportAllDeclaration') return wanted;
  const values = (specifiers as Node[]).filter(({ exportKind }) => exportKind !== 'type');
  return new Set(values.map(({ local }) => String((local as Node).name)).filter((name) => wanted?.has(name) ?? true));
}

function declared(source: Source, statement: Node, { type, id, declarations }: Node): Offer[] {
  if (!/^(FunctionDeclaration|ClassDeclaration|VariableDeclaration|TSDeclareFunction)$/.test(type)) return [];
  const ids = Array.isArray(declarations) ? declarations.map((one: Node) => one.id as Node) : [id as Node];
  return ids.map(({ name }) => ({ source, name: String(name), start: statement.start }));
}

function isExplained({ text, comments }: Source, start: number): boolean {
  const before = comments.findLast((comment) => comment.end <= start);
  return before !== undefined && before.value.startsWith('*') && text.slice(before.end, start).trim() === '';
}

const statementsOf = ({ tree }: Source) => (tree.body as Node[]).filter(({ type }) => type === 'ExportNamedDeclaration' || type === 'ExportAllDeclaration');
const targetOf = ({ path }: Source, { value }: Node) => posix.join(posix.dirname(path), String(value));
