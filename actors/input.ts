import type { AgentInputItem } from '../machines/protocol/item.ts';

/** Input as items: text is a message of the user. */
export const toItems = (input: string | AgentInputItem[]): AgentInputItem[] =>
  typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : input.slice();
