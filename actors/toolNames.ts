/** What providers accept as the name of a function, and who may call it. */
import { UserError } from './errors.ts';
import type { ToolAllowedCallers } from './toolTypes.ts';

/**
 * Replaces everything but ASCII letters and digits with underscores.
 * @throws UserError for an empty name.
 * @example
 * toFunctionToolName('look up-it'); // 'look_up_it'
 */
export function toFunctionToolName(name: string): string {
  if (name.length === 0) throw new UserError('A tool needs a name: pass `name`, or a named function as `execute`.');
  return name.replace(/[^a-zA-Z0-9]/g, '_');
}

/** @throws UserError unless there is at least one caller, all are known and none is named twice. */
export function toAllowedCallers(callers: ToolAllowedCallers | undefined, toolName: string): ToolAllowedCallers | undefined {
  if (callers === undefined) return undefined;
  const list: readonly unknown[] = Array.isArray(callers) ? callers : [];
  if (list.length === 0) throw new UserError(`allowedCallers of tool '${toolName}' must list at least one of 'direct' and 'programmatic'.`);
  const stranger = list.find((caller) => caller !== 'direct' && caller !== 'programmatic');
  if (stranger !== undefined) {
    throw new UserError(`allowedCallers of tool '${toolName}' contains '${String(stranger)}'; only 'direct' and 'programmatic' exist.`);
  }
  if (new Set(list).size !== list.length) throw new UserError(`allowedCallers of tool '${toolName}' names a caller twice.`);
  return [...callers] as unknown as ToolAllowedCallers; // A copy of a list that was found non-empty above.
}
