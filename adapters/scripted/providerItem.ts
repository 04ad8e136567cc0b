/** Items as the Responses API spells them, for the provider events of a scripted stream. */
import type { AgentOutputItem } from '../../machines/protocol/item.ts';

/** Snake-case keys where the wire form of a conversation has camel-case ones; text and reasoning in the provider's parts. */
export function toProviderItem(item: AgentOutputItem): Record<string, unknown> {
  if ('role' in item) return { ...renamed(item), content: item.content.map(toProviderContent) };
  if (item.type === 'reasoning') {
    const { content, rawContent, ...rest } = item;
    return {
      ...renamed(rest),
      summary: content.map(({ text }) => ({ type: 'summary_text', text })),
      ...(rawContent && { content: rawContent.map(({ text }) => ({ type: 'reasoning_text', text })) }),
    };
  }
  return renamed(item);
}

function toProviderContent(part: { type: string }): Record<string, unknown> {
  return part.type === 'output_text' ? { ...part, annotations: [] } : { ...part };
}

function renamed({ providerData, ...item }: { providerData?: Record<string, unknown> }): Record<string, unknown> {
  const entries = Object.entries(item).map(([key, value]) => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), structuredClone(value)]);
  return { ...providerData, ...Object.fromEntries(entries) };
}
