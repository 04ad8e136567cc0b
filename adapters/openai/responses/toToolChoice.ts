import { UserError } from '../../../actors/errors.ts';
import type { ModelSettings } from '../../../actors/ports.ts';
import type { JsonRecord } from '../record.ts';
import { isDeferred, membersOf } from './toTools.ts';

/**
 * What the model must or may call. Names are checked here, because the provider's own complaint names neither the setting
 * nor the tools. With a stored prompt only the provider knows the tools, so any name is let through.
 */
export function toToolChoice(
  choice: ModelSettings['toolChoice'] | null,
  { tools, fromPrompt }: { tools: JsonRecord[]; fromPrompt: boolean },
): string | JsonRecord | undefined {
  if (choice === undefined || choice === null) return undefined;
  if (choice === 'auto' || choice === 'none') return choice;
  if (choice === 'required') {
    if (tools.length === 0 && !fromPrompt) throw new UserError('modelSettings.toolChoice is "required", but the agent has no tools. Add one, or use "auto".');
    return choice;
  }
  if (fromPrompt) return HOSTED.has(choice) ? { type: choice } : { type: 'function', name: choice };
  return toFunction(choice, tools) ?? toHosted(choice, tools) ?? refuse(choice, tools);
}

function toFunction(choice: string, tools: JsonRecord[]): JsonRecord | undefined {
  const chosen = functionsOf(tools).find(({ name }) => name === choice);
  if (!chosen) return undefined;
  if (chosen.deferred) {
    throw new UserError(`modelSettings.toolChoice names "${choice}", which has deferLoading: it cannot be forced before it is loaded. Use "auto", or drop deferLoading.`);
  }
  return { type: 'function', name: choice };
}

function toHosted(choice: string, tools: JsonRecord[]): JsonRecord | undefined {
  if (!HOSTED.has(choice)) return undefined;
  if (!COMPUTER.has(choice)) return tools.some(({ type }) => type === choice) ? { type: choice } : undefined;
  const offered = tools.find(({ type }) => typeof type === 'string' && COMPUTER.has(type));
  if (!offered) return undefined;
  return { type: choice === 'computer_use' ? choice : offered.type };
}

function refuse(choice: string, tools: JsonRecord[]): never {
  if (choice === 'tool_search') {
    throw new UserError('modelSettings.toolChoice is "tool_search", which the Responses API does not allow to be forced. Use "auto".');
  }
  const names = [...functionsOf(tools).map(({ name }) => name), ...tools.map(({ type }) => type).filter((type) => type !== 'function' && type !== 'namespace')];
  const offered = names.length === 0 ? 'The agent has no tools.' : `It has: ${names.join(', ')}.`;
  throw new UserError(`modelSettings.toolChoice names "${choice}", which the agent does not have. ${offered}`);
}

function functionsOf(tools: JsonRecord[]): { name: string; deferred: boolean }[] {
  return tools.flatMap((tool) => {
    if (tool.type === 'function') return [{ name: String(tool.name), deferred: isDeferred(tool) }];
    return membersOf(tool).map((member) => ({ name: `${String(tool.name)}.${String(member.name)}`, deferred: isDeferred(member) }));
  });
}

const COMPUTER = new Set(['computer', 'computer_use', 'computer_use_preview']);
const HOSTED = new Set([
  ...COMPUTER, 'web_search', 'web_search_preview', 'file_search', 'code_interpreter', 'image_generation', 'mcp', 'shell', 'apply_patch', 'programmatic_tool_calling',
]);
