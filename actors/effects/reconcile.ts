/** What became of a body whose process ended: the tool looks it up, or a person says it (O3). */
import { resultWithout } from '../../machines/history.ts';
import type { Call, CallResult } from '../../machines/protocol/call.ts';
import type { RecordedOutcome } from '../../machines/protocol/journal.ts';
import type { BodyEffect } from '../../machines/toolCallMemory.ts';
import type { EffectIo } from '../host.ts';
import { type AnyAgent, type RunScope, ok } from '../scope.ts';
import { asProduct, toolOf } from './toolCalls.ts';

/** A check that throws has found out nothing: then a person is asked. */
export async function reconcile(scope: RunScope, { agent: key, call, key: idempotencyKey }: BodyEffect, io: EffectIo): Promise<RecordedOutcome> {
  const agent = scope.agent(key);
  try {
    const tool = await toolOf(scope, agent, call);
    if (tool.type !== 'function' || !tool.check) return ok({ happened: 'unknown' });
    const found = await tool.check(idempotencyKey, scope.runContext);
    if (found.happened !== true) return ok({ happened: found.happened });
    return ok({ happened: true, result: (await asProduct(scope, tool, call, found.result)).result });
  } catch (error) {
    return scope.failure('toolCall', error, io.effectId);
  }
}

/** What a person says that a call brought, in the form in which its own body would have brought it. */
export async function suppliedResult(scope: RunScope, agent: AnyAgent, call: Call, output: unknown): Promise<CallResult> {
  const tool = await toolOf(scope, agent, call);
  if (tool.type === 'function') return (await asProduct(scope, tool, call, output)).result;
  return resultWithout(call, 'completed', typeof output === 'string' ? output : JSON.stringify(output ?? null));
}
