/** Items as text for people. */
import type { AgentInputItem } from '../../machines/protocol/item.ts';

interface Part { type?: string; text?: string; refusal?: string; transcript?: string }

/** The words of a message, of reasoning, of a compaction. */
export function textOfItem(item: AgentInputItem): string {
  if ('content' in item) return typeof item.content === 'string' ? item.content : (item.content as Part[]).map(textOfPart).join('');
  if (item.type === 'compaction') return item.encrypted_content;
  return '';
}

/** What a result tells the model. */
export function textOfResult(item: AgentInputItem): string {
  if (!('output' in item)) return '';
  const { output } = item;
  if (typeof output === 'string') return output;
  if (Array.isArray(output)) return output.map((part) => textOfPart(part as Part)).join('');
  return textOfPart(output as Part);
}

/** What a call asks for. */
export function argumentsOf(item: AgentInputItem): string {
  if ('arguments' in item && typeof item.arguments === 'string') return item.arguments;
  const asked = 'action' in item ? item.action : 'operation' in item ? item.operation : undefined;
  return asked === undefined ? '' : JSON.stringify(asked);
}

/** Media have no words; their kind stands for them. */
function textOfPart(part: Part | undefined): string {
  return part?.text ?? part?.refusal ?? part?.transcript ?? (part?.type ? `[${part.type.replace(/^(input|output)_/, '')}]` : JSON.stringify(part) ?? '');
}
