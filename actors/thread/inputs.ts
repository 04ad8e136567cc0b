/** What an app gives a thread, as the thread records it. */
import type { RunOverrides } from '../../machines/protocol/thread.ts';
import { toItems } from '../input.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { ThreadRunOptions, ThreadText } from './types.ts';

const OVERRIDES = ['agent', 'model', 'modelSettings', 'instructions', 'tools', 'approvalPolicy', 'maxTurns', 'finalTurn', 'budget'] as const satisfies (keyof RunOverrides)[];

/** Empty input is none: the run goes on from the history as it is. */
export const itemsIn = (input: ThreadText): AgentInputItem[] => (input === '' ? [] : toItems(input));

/** What a run does otherwise than its thread; nothing where it says nothing. */
export function overridesIn(options: ThreadRunOptions): RunOverrides | undefined {
  const said = OVERRIDES.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]);
  return said.length === 0 ? undefined : (Object.fromEntries(said) as RunOverrides); // of those keys
}
