/** Checks beside the model and the tools. A trip is data; what the app catches is made from it. */
import { resultWithout } from '../../machines/history.ts';
import type { CallResult } from '../../machines/protocol/call.ts';
import type { RecordedOutcome } from '../../machines/protocol/journal.ts';
import type { FunctionCallItem } from '../../machines/protocol/item.ts';
import type { Response } from '../../machines/protocol/call.ts';
import type { ScreenInput, ScreenVerdict } from '../../machines/pendingInput.ts';
import type { GuardrailInput } from '../../machines/runMemory.ts';
import { OutputGuardrailTripwireTriggered, ToolCallError, ToolOutputGuardrailTripwireTriggered, ToolInputGuardrailTripwireTriggered } from '../errors.ts';
import { type InputGuardrail, type OutputGuardrailResult, defineInputGuardrail, defineOutputGuardrail } from '../guardrail.ts';
import type { EffectIo } from '../host.ts';
import { type AnyAgent, type RunScope, ok } from '../scope.ts';
import { askToolInputGuardrail, askToolOutputGuardrail } from '../toolGuardrail.ts';
import { Usage } from '../usage.ts';
import { type CallInput, HookFailure, carriedOut, tellEnd, tellStart, toolOf } from './toolCalls.ts';

/** Blocking ones first, then those that run beside the model; the place in this list is the guardrail's index. */
export function inputGuardrailsOf(scope: RunScope, agent: AnyAgent): { blocking: InputGuardrail[]; parallel: InputGuardrail[] } {
  const all = [...(scope.config.inputGuardrails ?? []), ...agent.inputGuardrails];
  return { blocking: all.filter((one) => one.runInParallel === false), parallel: all.filter((one) => one.runInParallel !== false) };
}

export const hasInputGuardrails = ({ config }: RunScope, agent: AnyAgent): boolean => agent.inputGuardrails.length > 0 || (config.inputGuardrails?.length ?? 0) > 0;

export async function inputGuardrail(scope: RunScope, { agent: key, index, name, input }: GuardrailInput, io: EffectIo): Promise<RecordedOutcome> {
  const agent = scope.agent(key);
  const { blocking, parallel } = inputGuardrailsOf(scope, agent);
  const guardrail = [...blocking, ...parallel][index];
  if (guardrail?.name !== name) return scope.failure('user', new Error(`The input guardrail "${name}" that this run began with is gone.`), io.effectId);
  try {
    const { output } = await defineInputGuardrail(guardrail).run({ agent, input: scope.originalInput ?? input, context: scope.runContext });
    return ok({ index, name, tripwireTriggered: output.tripwireTriggered, outputInfo: output.outputInfo });
  } catch (error) {
    return scope.failure('guardrailExecution', error, io.effectId, { detail: { name } });
  }
}

/** Every guardrail looks at every message that wants to join, all at once and each to its end (E6). */
export async function inputScreen(scope: RunScope, { agent: key, inputs }: ScreenInput, io: EffectIo): Promise<RecordedOutcome> {
  const agent = scope.agent(key);
  const { blocking, parallel } = inputGuardrailsOf(scope, agent);
  const asked = inputs.flatMap(({ id, item }) =>
    [...blocking, ...parallel].map(async (guardrail): Promise<ScreenVerdict> => {
      const { output } = await defineInputGuardrail(guardrail).run({ agent, input: [item], context: scope.runContext });
      return { id, name: guardrail.name, tripwireTriggered: output.tripwireTriggered, outputInfo: output.outputInfo };
    }),
  );
  const settled = await Promise.allSettled(asked);
  const broken = settled.find((one) => one.status === 'rejected');
  if (broken) return scope.failure('guardrailExecution', broken.reason, io.effectId);
  const screened: Screened = { ids: inputs.map(({ id }) => id), verdicts: settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])) };
  return ok(screened);
}

/** Said now, or recorded. */
export interface Screened { ids: string[]; verdicts: ScreenVerdict[] }

export function keepScreened({ inputGuardrailResults }: RunScope, { verdicts }: Screened): void {
  for (const { name, tripwireTriggered, outputInfo } of verdicts) inputGuardrailResults.push({ guardrail: { type: 'input', name }, output: { tripwireTriggered, outputInfo } });
}

/** All at once, each to its end; then the first that tripped, or broke, counts (E3, E5). */
export async function outputGuardrail(scope: RunScope, input: { agent: string; output: unknown; response: Response | null }, io: EffectIo): Promise<RecordedOutcome> {
  const agent = scope.agent(input.agent);
  const guardrails = [...(scope.config.outputGuardrails ?? []), ...agent.outputGuardrails].map((one) => defineOutputGuardrail<any, any>(one));
  const details = input.response ? { modelResponse: modelResponse(input.response), output: input.response.items as never } : undefined; // the response's own items
  const settled = await Promise.allSettled(guardrails.map((one) => one.run({ agent, agentOutput: input.output, context: scope.runContext, details })));
  const results = settled.filter((one) => one.status === 'fulfilled').map((one) => one.value);
  const broken = settled.find((one) => one.status === 'rejected');
  if (broken) return scope.failure('guardrailExecution', broken.reason, io.effectId, { detail: { results: results.map(asData) } });
  const tripped = results.find((one) => one.output.tripwireTriggered);
  if (!tripped) return ok({ failure: null, results: results.map(asData) });
  const error = new OutputGuardrailTripwireTriggered(`Output guardrail triggered: ${JSON.stringify(tripped.output.outputInfo ?? null)}`, tripped);
  const failure = scope.failure('outputGuardrail', error, io.effectId, { detail: { name: tripped.guardrail.name, outputInfo: tripped.output.outputInfo, agent: input.agent } });
  if (failure.status !== 'error') throw new Error('A failure is an error.');
  const withheld = await blockedMessage(scope, agent, tripped.guardrail.name);
  return ok({ failure: failure.failure, results: results.map(asData), ...(withheld === undefined ? {} : { withheld }) });
}

/** What guardrails said, whether it was said now or is recorded. */
export function keepVerdicts(scope: RunScope, input: { agent: string; output: unknown }, outcome: RecordedOutcome): void {
  const said = outcome.status === 'ok' ? outcome.value : outcome.status === 'error' ? outcome.failure.detail : undefined;
  const { results = [] } = (said ?? {}) as { results?: Verdict[] }; // as recorded by the effect
  for (const { name, output } of results) {
    scope.outputGuardrailResults.push({ guardrail: { type: 'output', name }, agent: scope.agent(input.agent), agentOutput: input.output as never, output }); // of the type of its agent
  }
}

type Verdict = { name: string; output: OutputGuardrailResult['output'] };
export const modelResponse = (response: Response) => ({ output: response.items, usage: new Usage(response.usage), responseId: response.responseId });
const asData = ({ guardrail, output }: OutputGuardrailResult<any, any>): Verdict => ({ name: guardrail.name, output });

async function blockedMessage(scope: RunScope, agent: AnyAgent, guardrailName: string): Promise<string | undefined> {
  const configured = scope.option('outputGuardrailBlockedMessage');
  if (typeof configured !== 'function') return configured;
  return configured({ defaultMessage: 'Output withheld by an output guardrail.', guardrailName, agent, runContext: scope.runContext });
}

type ToolGuardrailInput = CallInput & { kind: 'toolInput' | 'toolOutput'; result: CallResult | null };

/** In order, until one objects (E4). */
export async function toolGuardrail(scope: RunScope, input: ToolGuardrailInput, io: EffectIo): Promise<RecordedOutcome> {
  const agent = scope.agent(input.agent);
  const { call, kind } = input;
  try {
    const tool = await toolOf(scope, agent, call);
    if (tool.type !== 'function' || call.item.type !== 'function_call') return ok({ result: null, verdicts: [] });
    const data = { context: scope.runContext, agent, toolCall: carriedOut(call) as FunctionCallItem }; // as checked just above
    const verdicts: unknown[] = [];
    let objection: string | undefined;
    for (const one of (kind === 'toolInput' ? tool.inputGuardrails : tool.outputGuardrails) ?? []) {
      const verdict =
        one.type === 'tool_input' ? await askToolInputGuardrail(one, data) : await askToolOutputGuardrail(one, { ...data, output: input.result?.output });
      verdicts.push(verdict);
      io.signal.throwIfAborted();
      const { behavior } = verdict.output;
      if (behavior.type === 'throwException') return tripped(scope, one.name, verdict, io.effectId);
      if (behavior.type === 'rejectContent') {
        objection = behavior.message;
        break;
      }
    }
    const result = objection === undefined ? null : { ...resultWithout(call, 'rejected', objection), status: 'rejected' as const };
    const isLast = kind === 'toolOutput' || result !== null;
    if (kind === 'toolInput' && result) await tellStart(scope, agent, tool, call, io.effectId);
    if (isLast) await tellEnd(scope, agent, tool, call, { value: result?.output ?? input.result?.output, effectId: io.effectId });
    return ok({ result, verdicts });
  } catch (error) {
    if (error instanceof HookFailure) return scope.failure('user', error.cause, io.effectId);
    return scope.failure('guardrailExecution', error, io.effectId);
  }
}

function tripped(scope: RunScope, name: string, verdict: any, effectId: string): RecordedOutcome { // `any`: input and output verdicts, of guardrails of any type
  const isInput = verdict.guardrail.type === 'tool_input';
  const cause = isInput
    ? new ToolInputGuardrailTripwireTriggered(`Tool input guardrail triggered: ${name}`, verdict)
    : new ToolOutputGuardrailTripwireTriggered(`Tool output guardrail triggered: ${name}`, verdict);
  return scope.failure('toolCall', new ToolCallError(cause.message, cause), effectId, { detail: { guardrail: name, kind: verdict.guardrail.type, outputInfo: verdict.output.outputInfo } });
}
