/** What an app gives a thread, as the thread records it. */
import type { RunOverrides, SessionRule, ThreadCommand } from '../../machines/protocol/thread.ts';
import type { OpenDecision } from '../host.ts';
import type { ThreadRunOptions } from './types.ts';

const OVERRIDES = ['agent', 'model', 'modelSettings', 'instructions', 'tools', 'approvalPolicy', 'maxTurns', 'finalTurn', 'budget'] as const satisfies (keyof RunOverrides)[];

/** What a run does otherwise than its thread; nothing where it says nothing. */
export function overridesIn(options: ThreadRunOptions): RunOverrides | undefined {
  const said = OVERRIDES.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]);
  return said.length === 0 ? undefined : (Object.fromEntries(said) as RunOverrides); // of those keys
}

/** What "always" means on a thread: this agent, this tool, from now on, until the rule is taken back (M8). */
export function ruleOf({ agent, call }: OpenDecision, decision: SessionRule['decision'], reason?: string): Extract<ThreadCommand, { type: 'rule.add' }> {
  const id = `always.${agent}.${call.name}`;
  return { type: 'rule.add', id, at: 0, rule: { id, tool: call.name, agent, decision, ...(reason !== undefined && { reason }) } };
}
