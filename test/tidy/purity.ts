/** Charts and the functions beside them know no clock, no chance and no world: the same entries always give the same states. */
import { type Finding, type Node, type Source, at, isNode, nodesIn } from './source.ts';

const WORLD = new Set([
  'Date', 'performance', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'crypto', 'fetch', 'process', 'console', 'globalThis', 'window',
  'document', 'localStorage', 'navigator', 'WebSocket', 'XMLHttpRequest', 'Buffer', 'require',
]);

export function purityFindings(source: Source): Finding[] {
  const names = new Set<Node>();
  for (const node of nodesIn(source.tree)) for (const name of namesNotUsed(node)) names.add(name);
  return [...nodesIn(source.tree)].flatMap((node) => {
    if (node.type === 'Identifier' && WORLD.has(String(node.name)) && !names.has(node)) return [`${at(source, node.start)} uses ${String(node.name)}`];
    return isRandom(node) ? [`${at(source, node.start)} uses Math.random`] : [];
  });
}

/** Identifiers that only name a field: `event.process` and `{ process: 1 }` reach for nothing. */
function namesNotUsed(node: Node): Node[] {
  const named = node.type === 'MemberExpression' ? node.property : node.key;
  return node.computed !== true && isNode(named) ? [named] : [];
}

function isRandom({ type, object, property }: Node): boolean {
  return type === 'MemberExpression' && isNode(object) && object.name === 'Math' && isNode(property) && property.name === 'random';
}
