/** One step played to one request: the response, or the stream of events that carries the same response. */
import type { ModelRequest, ModelResponse } from '../../actors/ports.ts';
import { Usage } from '../../actors/usage.ts';
import type { AgentOutputItem, StreamEvent, UsageData } from '../../machines/protocol/item.ts';
import { ScriptedModelError, throwIfAborted, untilAborted } from './failures.ts';
import { toProviderItem } from './providerItem.ts';
import type { AnswerStep, Disturbance, ScriptedUsage, SingleStep } from './steps.ts';
import { wait } from './waiting.ts';

/** A request being answered. `request` is the recorded copy, `signal` the live one. */
export interface Performance {
  requestNumber: number;
  request: Readonly<ModelRequest>;
  signal?: AbortSignal;
  /** The next free call id of the model. */
  freeCallId: () => string;
  /** Told of ids that the script chose itself, so that they are not given twice. */
  occupyCallId: (callId: string) => void;
}

const DEFAULT_USAGE = { inputTokens: 10, outputTokens: 5 };

/** The whole response at once. What would cut a stream breaks the request instead. */
export async function perform(step: SingleStep, performance: Performance): Promise<ModelResponse> {
  const { answer, disturbance } = await settleStep(step, performance);
  const { id, output, usage } = materialise(answer, performance);
  if (disturbance) await disturb(disturbance, performance, 'request');
  return { usage: new Usage(usage), output: output.map(({ item }) => item), responseId: id };
}

/** The same response as events. */
export async function* performStream(step: SingleStep, performance: Performance): AsyncGenerator<StreamEvent, void, undefined> {
  const { answer, disturbance, after } = await settleStep(step, performance);
  let sent = 0;
  for (const event of eventsOf(materialise(answer, performance))) {
    throwIfAborted(performance.signal);
    if (sent === after || (disturbance && event.type === 'response_done')) break; // Whatever the count, a disturbed answer never completes.
    yield event;
    sent += 1;
  }
  throwIfAborted(performance.signal);
  if (disturbance) await disturb(disturbance, performance, 'stream');
}

interface SettledStep { answer: AnswerStep; disturbance?: Disturbance; after?: number }

/** Waits and chooses until only an answer is left. @throws ScriptedModelError when the step is a failure. */
async function settleStep(step: SingleStep, performance: Performance): Promise<SettledStep> {
  throwIfAborted(performance.signal);
  switch (step.kind) {
    case 'answer': return { answer: step };
    case 'disturbed': return { answer: step.step, disturbance: step.disturbance, after: step.after };
    case 'fail': throw new ScriptedModelError(step.failure);
    case 'delayed':
      await wait(step.ms, step.clock, performance.signal);
      return settleStep(step.step, performance);
    case 'computed':
      return settleStep(await step.answer(performance.request, performance.requestNumber), performance);
  }
}

async function disturb(disturbance: Disturbance, { signal }: Performance, mode: 'request' | 'stream'): Promise<void> {
  switch (disturbance.kind) {
    case 'hang': return untilAborted(signal);
    case 'fail': throw new ScriptedModelError(disturbance.failure);
    case 'end':
      if (mode === 'request') throw new ScriptedModelError({ network: true });
  }
}

interface MaterialisedPart { item: AgentOutputItem; deltas: readonly string[] }
interface Materialised { id: string; usage: UsageData; output: MaterialisedPart[] }

/** Steps are reusable and callers may keep or change what they get, so every performance has items of its own. */
function materialise(answer: AnswerStep, performance: Performance): Materialised {
  const output = answer.parts.map(({ item, deltas = textOf(item), callId }) => {
    const copy = structuredClone(item);
    if (copy.type === 'function_call' && callId === 'automatic') copy.callId = performance.freeCallId();
    else if ('callId' in copy && typeof copy.callId === 'string') performance.occupyCallId(copy.callId);
    return { item: copy, deltas };
  });
  return { id: answer.responseId ?? `resp_${performance.requestNumber}`, usage: toUsageData(answer.usage), output };
}

function* eventsOf({ id, usage, output }: Materialised): Generator<StreamEvent> {
  yield { type: 'response_started' };
  for (const [index, { item, deltas }] of output.entries()) {
    for (const delta of deltas) {
      yield { type: 'output_text_delta', ...(item.id === undefined ? {} : { itemId: item.id }), delta };
    }
    yield {
      type: 'model',
      event: { type: 'response.output_item.done', output_index: index, item: toProviderItem(item) },
      providerData: { item: structuredClone(item) },
    };
  }
  yield { type: 'response_done', response: { id, usage, output: output.map(({ item }) => item) } };
}

function textOf(item: AgentOutputItem): string[] {
  if (!('role' in item)) return [];
  return item.content.flatMap((part) => (part.type === 'output_text' ? [part.text] : []));
}

function toUsageData(usage: ScriptedUsage = {}): UsageData {
  const { inputTokens, outputTokens } = { ...DEFAULT_USAGE, ...usage };
  return { requests: 1, ...usage, inputTokens, outputTokens, totalTokens: usage.totalTokens ?? inputTokens + outputTokens };
}
