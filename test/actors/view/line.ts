/** An entry as a line, to be compared and read. */
import type { Entry } from 'loopchart/view';

/** @example '  tick completed: done' */
export function line(entry: Entry): string {
  return '  '.repeat(entry.depth) + lineOf(entry);
}
function lineOf(entry: Entry): string {
  switch (entry.kind) {
    case 'user': case 'mail': return `${entry.kind}${entry.status === 'delivered' ? '' : ` ${entry.status}`}: ${entry.text}`;
    case 'assistant': return `${entry.agent}${entry.status === 'completed' ? '' : ` ${entry.status}`}: ${entry.text}`;
    case 'reasoning': case 'compaction': return `${entry.kind}: ${entry.text}`;
    case 'toolCall': return `${entry.tool} ${entry.status}${entry.result === undefined ? '' : `: ${entry.result}`}`;
    case 'handoff': return `handoff ${entry.status}: ${entry.target}`;
    case 'notice': return `${entry.of}: ${entry.text}`;
    case 'error': return `error ${entry.code}: ${entry.text}`;
    case 'item': return `item ${entry.item.type}`;
  }
}
