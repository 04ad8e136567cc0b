/** An output that an output guardrail withholds (E3). */
import type { AgentContext } from './agentMemory.ts';
import { Log } from './log.ts';
import type { AgentInputItem } from './protocol/item.ts';
import type { ItemRecord } from './protocol/outcome.ts';

const WITHHELD = 'Output withheld by an output guardrail.';

/** The message is dropped; the result of a tool keeps its place and loses its text (E3). */
export function withholdOutput(context: AgentContext, withheld = WITHHELD): Partial<AgentContext> {
  const messages = new Set<unknown>(messagesOf(context));
  const results = new Set<unknown>(context.final?.fromTool ? Object.values(context.last?.results ?? {}).map((result) => result.item) : []);
  const keep = (item: AgentInputItem) => !messages.has(item);
  const hide = (item: AgentInputItem) => (results.has(item) && item.type === 'function_call_result' ? { ...item, output: { type: 'text' as const, text: withheld } } : item);
  const { conversation } = context;
  return {
    conversation: {
      ...conversation,
      history: Log.of(conversation.history.toArray().filter(keep).map(hide)),
      unsaved: conversation.unsaved.filter(keep).map(hide),
      generated: Log.of(conversation.generated.toArray().filter((record) => keep(record.rawItem)).map((record) => withhold(record, hide(record.rawItem), withheld))),
    },
  };
}

function messagesOf({ final, last }: AgentContext): AgentInputItem[] {
  if (final?.how === 'handler' || final?.fromTool) return [];
  return (last?.response?.items ?? []).filter((item) => 'role' in item && item.role === 'assistant');
}

function withhold(record: ItemRecord, rawItem: AgentInputItem, output: string): ItemRecord {
  return record.rawItem === rawItem ? record : { ...record, rawItem, output };
}
