/** What the app says at the end of a turn, of an agent and of a run. */
import type { CallResult, Response } from '../../machines/protocol/call.ts';
import type { Failure } from '../../machines/protocol/failure.ts';
import type { RecordedOutcome } from '../../machines/protocol/journal.ts';
import type { ErrorKind } from '../../machines/protocol/outcome.ts';
import { UserError } from '../errors.ts';
import type { EffectIo } from '../host.ts';
import { resultRecord } from '../../machines/history.ts';
import type { RunToolCallOutputItem } from '../items.ts';
import { runItemOf } from '../runItems.ts';
import type { RunErrorData } from '../runOptions.ts';
import { type RunScope, ok } from '../scope.ts';
import { errorOf } from '../toError.ts';
import { toText } from '../toolOutput.ts';
import type { FunctionToolResult } from '../toolTypes.ts';
import { offerFor } from './request.ts';

/** What the results of the tools mean (A6), then the hook that closes the turn (H2). */
export async function conclude(scope: RunScope, input: { agent: string; turn: number; response: Response; results: CallResult[] }, io: EffectIo): Promise<RecordedOutcome> {
  const agent = scope.agent(input.agent);
  try {
    const { toolUseBehavior } = agent;
    let chosen: { finalOutput: unknown } | null = null;
    if (typeof toolUseBehavior === 'function' && input.response.calls.length > 0 && !input.response.handoff) {
      const { functions } = await offerFor(scope, agent);
      const results = input.response.calls.flatMap((call): FunctionToolResult[] => {
        const result = input.results.find((one) => 'callId' in one.item && one.item.callId === call.callId);
        const tool = functions.get(call.name);
        if (!result || !tool) return [];
        const runItem = runItemOf(scope, resultRecord(input.agent, result)) as RunToolCallOutputItem; // a result makes an output item
        return [{ type: 'function_output', tool, output: result.output, runItem }];
      });
      const decision = await toolUseBehavior(scope.runContext, results);
      if (decision?.isFinalOutput) chosen = { finalOutput: decision.finalOutput };
    }
    io.signal.throwIfAborted();
    if (scope.listens(agent, 'agent_turn_end')) await scope.tell(agent, 'agent_turn_end', input.turn, io.effectId);
    return ok(chosen);
  } catch (error) {
    return scope.failure('user', error, io.effectId);
  }
}

export async function agentEnd(scope: RunScope, input: { agent: string; output: unknown }, io: EffectIo): Promise<RecordedOutcome> {
  const agent = scope.agent(input.agent);
  const output = toText(input.output);
  try {
    await agent.emitAndWait('agent_end', scope.runContext, output, { effectId: io.effectId });
    await scope.hooks?.emitAndWait('agent_end', scope.runContext, agent, output, { effectId: io.effectId });
    return ok(null);
  } catch (error) {
    return scope.failure('user', error, io.effectId);
  }
}

/** The run has failed already: what a hook throws about that changes nothing. */
export async function runError(scope: RunScope, input: { agent: string; failure: Failure }, io: EffectIo): Promise<RecordedOutcome> {
  const agent = scope.agent(input.agent);
  try {
    await scope.tell(agent, 'agent_error', errorOf(scope, input.failure), io.effectId);
    return ok(null);
  } catch (error) {
    return scope.failure('user', error, io.effectId);
  }
}

/** The app may answer in place of an error; what it supplies is held to the agent's output type (A4). */
export async function errorHandler(scope: RunScope, input: { agent: string; kind: ErrorKind; failure: Failure }, io: EffectIo): Promise<RecordedOutcome> {
  const agent = scope.agent(input.agent);
  const handlers = scope.options.errorHandlers;
  try {
    const answer = await (handlers?.[input.kind] ?? handlers?.default)?.({
      error: errorOf(scope, input.failure) as never, // one of the three classes that belong to the three kinds
      context: scope.runContext,
      runData: scope.runData!(scope) as RunErrorData<any, any>,
    });
    if (!answer) return ok(null);
    const finalOutput: unknown = answer.finalOutput;
    if (agent.outputType !== 'text') {
      const parsed = agent.parseFinalOutput(JSON.stringify(finalOutput));
      if (!parsed.ok) throw new UserError(`The ${input.kind} handler supplied a final output that does not fit the output type of "${agent.name}": ${parsed.message}`);
    }
    const guardsOutput = agent.outputGuardrails.length > 0 || (scope.config.outputGuardrails?.length ?? 0) > 0;
    return ok({ finalOutput, includeInHistory: answer.includeInHistory !== false, guardsOutput, endsAgent: scope.listens(agent, 'agent_end') });
  } catch (error) {
    return scope.failure('user', error, io.effectId);
  }
}
