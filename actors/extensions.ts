/** Small helps for handoffs: a filter that drops tool traffic, and instructions that explain handoffs to a model. */
import type { HandoffInputData } from './handoff.ts';
import { type RunItem, RunCompactionItem, RunInputItem, RunMessageOutputItem } from './items.ts';

/** Instructions that explain to a model how agents pass a conversation on. */
export const RECOMMENDED_PROMPT_PREFIX: string = [
  '# How this system works',
  'You are one of several agents that serve the same user together. Each agent has instructions and tools of its own.',
  'To pass the conversation to another agent, call its handoff function, whose name is usually `transfer_to_<agent_name>`.',
  'The user does not notice a handoff: never announce, explain or mention one.',
].join('\n');

/**
 * Puts {@link RECOMMENDED_PROMPT_PREFIX} before a prompt.
 *
 * @example
 * ```ts
 * import { Agent, promptWithHandoffInstructions } from 'loopchart';
 *
 * new Agent({ name: 'Triage', instructions: promptWithHandoffInstructions('Find out what the user needs.') });
 * ```
 */
export function promptWithHandoffInstructions(prompt: string): string {
  return `${RECOMMENDED_PROMPT_PREFIX}\n\n${prompt}`;
}

/** A handoff input filter: the next agent sees what was said, and nothing of calls, results, reasoning and handoffs. */
export function removeAllTools(input: HandoffInputData): HandoffInputData {
  const { inputHistory, preHandoffItems, newItems, runContext } = input;
  return {
    inputHistory: Array.isArray(inputHistory) ? inputHistory.filter((item) => !TOOL_TRAFFIC.has(item.type ?? 'message')) : inputHistory,
    preHandoffItems: preHandoffItems.filter(isConversation),
    newItems: newItems.filter(isConversation),
    runContext,
  };
}

const TOOL_TRAFFIC = new Set([
  'apply_patch_call', 'apply_patch_call_output', 'computer_call', 'computer_call_result', 'function_call', 'function_call_result',
  'hosted_tool_call', 'program', 'program_output', 'reasoning', 'shell_call', 'shell_call_output', 'tool_search_call', 'tool_search_output',
]);

function isConversation(item: RunItem): boolean {
  return item instanceof RunMessageOutputItem || item instanceof RunInputItem || item instanceof RunCompactionItem;
}
