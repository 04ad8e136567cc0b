/** Another agent takes over: validate, tell, record, then shape what it will read (F2). */
import type { FunctionCallResultItem } from '../../machines/protocol/item.ts';
import type { RecordedOutcome } from '../../machines/protocol/journal.ts';
import type { ItemRecord } from '../../machines/protocol/outcome.ts';
import type { HandoffFilterInput } from '../../machines/run.ts';
import type { Visible } from '../../machines/runMemory.ts';
import { ModelBehaviorError, UserError } from '../errors.ts';
import { type Handoff, type HandoffInputData, getTransferMessage } from '../handoff.ts';
import { type NestHistoryOptions, nestHandoffHistory } from '../handoffHistory.ts';
import type { EffectIo } from '../host.ts';
import { recordOf, runItemOf } from '../runItems.ts';
import { type AnyAgent, type RunScope, ok } from '../scope.ts';
import { hasInputGuardrails } from './guardrails.ts';
import { offerFor } from './request.ts';

export async function handoffFilter(scope: RunScope, input: HandoffFilterInput, io: EffectIo): Promise<RecordedOutcome> {
  try {
    const source = scope.agent(input.agent);
    const { handoffs } = await offerFor(scope, source);
    const handoff = handoffs.find((candidate) => candidate.toolName === input.handoff.toolName);
    if (!handoff) throw new UserError(`Agent "${source.name}" no longer offers the handoff "${input.handoff.toolName}" that this run needs.`);
    const target = await handoff.onInvokeHandoff(scope.runContext, input.handoff.item.arguments, { effectId: io.effectId });
    io.signal.throwIfAborted(); // nothing starts after an interrupt (J4)
    const record = outputRecord(scope, input, source, target);
    await source.emitAndWait('agent_handoff', scope.runContext, target, { effectId: io.effectId });
    await scope.hooks?.emitAndWait('agent_handoff', scope.runContext, source, target, { effectId: io.effectId });
    io.signal.throwIfAborted();
    const filter = filterFor(scope, handoff);
    const outcome = { target: scope.keyOf(target), records: [record], ...(hasInputGuardrails(scope, target) && { screensInput: true }) };
    if (!filter) return ok(outcome);
    return ok({ ...outcome, shaped: await shape(scope, input, record, filter) });
  } catch (error) {
    return scope.failure(error instanceof ModelBehaviorError ? 'modelBehavior' : 'user', error, io.effectId);
  }
}

function outputRecord(scope: RunScope, { handoff }: HandoffFilterInput, source: AnyAgent, target: AnyAgent): ItemRecord {
  const text = getTransferMessage(target);
  const rawItem: FunctionCallResultItem = {
    type: 'function_call_result',
    name: handoff.toolName,
    callId: handoff.item.callId,
    status: 'completed',
    output: { type: 'text', text },
  };
  const sourceAgent = scope.keyOf(source);
  return { type: 'handoff_output_item', rawItem, agent: sourceAgent, sourceAgent, targetAgent: scope.keyOf(target), output: text };
}

type Filter = (data: HandoffInputData) => HandoffInputData | Promise<HandoffInputData>;

/** The handoff's own filter, else the runner's, else nesting where that is asked for (F3). */
function filterFor(scope: RunScope, handoff: Handoff<any, any>): Filter | undefined {
  const filter = handoff.inputFilter ?? scope.config.handoffInputFilter;
  const nests = handoff.nestHandoffHistory ?? scope.option('nestHandoffHistory') ?? false;
  if (!filter && nests === false) return undefined;
  if (scope.serverManaged) {
    throw new UserError('Handoff input filters cannot be used with conversationId or previousResponseId: the provider keeps that history. Remove the filter or the id.');
  }
  return filter ?? ((data) => nestHandoffHistory(data, nests === true ? {} : (nests as NestHistoryOptions)));
}

async function shape(scope: RunScope, { visible, lastTurn }: HandoffFilterInput, record: ItemRecord, filter: Filter): Promise<Visible> {
  const before = visible.records.length - lastTurn;
  const item = (one: ItemRecord) => runItemOf(scope, one);
  const filtered: unknown = await filter({
    inputHistory: visible.base.slice(),
    preHandoffItems: visible.records.slice(0, before).map(item),
    newItems: [...visible.records.slice(before), record].map(item),
    runContext: scope.runContext,
  });
  if (!isInputData(filtered)) throw new UserError('A handoff input filter must return { inputHistory, preHandoffItems, newItems }.');
  const { inputHistory, preHandoffItems, newItems } = filtered;
  const base = typeof inputHistory === 'string' ? [{ type: 'message' as const, role: 'user' as const, content: inputHistory }] : inputHistory;
  return { base, records: [...preHandoffItems, ...newItems].map((one) => recordOf(scope, one)).filter((one) => one !== undefined) };
}

function isInputData(value: unknown): value is HandoffInputData {
  if (typeof value !== 'object' || value === null) return false;
  const { inputHistory, preHandoffItems, newItems } = value as Partial<HandoffInputData>;
  return (typeof inputHistory === 'string' || Array.isArray(inputHistory)) && Array.isArray(preHandoffItems) && Array.isArray(newItems);
}
