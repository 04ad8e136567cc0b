/** Ids of reasoning items, which some providers do not want back. */
import type { AgentInputItem } from '../machines/protocol/item.ts';
import type { RunScope } from './scope.ts';

export function withoutReasoningIds(scope: RunScope, items: AgentInputItem[]): AgentInputItem[] {
  if (scope.option('reasoningItemIdPolicy') !== 'omit') return items;
  return items.map((item) => {
    if (item.type !== 'reasoning' || item.id === undefined) return item;
    const { id: _, ...rest } = item;
    return rest;
  });
}
