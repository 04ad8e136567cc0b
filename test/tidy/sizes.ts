/** One file, one idea; one function, one screen. */
import { type Finding, type Node, type Source, at, isNode, nodesIn } from './source.ts';

export const FILE_LINES = 300;
/** A chart is one literal in one file, so that tools can read it: slots, guards, actions and picture stay together. */
export const CHART_LINES = 360;
export const FUNCTION_LINES = 70;

export function sizeFindings(source: Source): Finding[] {
  const lines = source.text.replace(/\n$/, '').split('\n').length;
  const most = isChart(source) ? CHART_LINES : FILE_LINES;
  const file = lines > most ? [`${source.path} has ${lines} lines, more than ${most}`] : [];
  return [...file, ...[...nodesIn(source.tree)].filter(isFunction).flatMap((node) => functionFinding(source, node))];
}

export const isChart = ({ path, text }: Source): boolean => path.startsWith('machines/') && text.includes('.createMachine(');

function functionFinding(source: Source, node: Node): Finding[] {
  const lines = source.text.slice(node.start, node.end).split('\n').length;
  if (lines <= FUNCTION_LINES) return [];
  const name = isNode(node.id) ? String(node.id.name) : 'function';
  return [`${at(source, node.start)} ${name} has ${lines} lines, more than ${FUNCTION_LINES}`];
}

const isFunction = ({ type }: Node) => type === 'FunctionDeclaration' || type === 'FunctionExpression' || type === 'ArrowFunctionExpression';
