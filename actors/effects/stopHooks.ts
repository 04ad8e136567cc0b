/** The app looks at a final output before it is one (M5). */
import type { RecordedOutcome } from '../../machines/protocol/journal.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { Log } from '../../machines/log.ts';
import type { Objection } from '../../machines/pendingInput.ts';
import { UserError } from '../errors.ts';
import type { EffectIo } from '../host.ts';
import { type RunScope, ok } from '../scope.ts';

interface StopHookInput { agent: string; turn: number; output: unknown; history: Log<AgentInputItem> }

/** One after the other; all are asked, so that the agent hears everything at once. */
export async function stopHook(scope: RunScope, { agent, turn, output, history }: StopHookInput, { effectId, signal }: EffectIo): Promise<RecordedOutcome> {
  const objections: Objection[] = [];
  try {
    for (const { name: hook, execute } of scope.options.stopHooks ?? []) {
      const answer = await execute({ output, agent: scope.agent(agent), context: scope.runContext, turn, history: history.toArray(), signal, effectId });
      signal.throwIfAborted(); // nothing starts after an interrupt (J4)
      if (answer === undefined || answer === null) continue;
      if (typeof answer.objection !== 'string' || answer.objection === '') throw new UserError(`The stop hook "${hook}" must return nothing, or { objection: "what is missing" }.`);
      objections.push({ hook, text: answer.objection });
    }
    return ok({ objections });
  } catch (error) {
    return scope.failure('user', error, effectId);
  }
}
