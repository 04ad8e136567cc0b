/** A conversation is summed up by a model, so that the rest of it fits (N1, N2). */
import { type CompactorInput, compactionItem, newestUserMessages, paired, readable, unfolded, withoutOldest } from '../../machines/compaction.ts';
import { textOf, wellFormed } from '../../machines/history.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { RecordedOutcome } from '../../machines/protocol/journal.ts';
import { costOf } from '../budget.ts';
import { ModelError, ModelTimeoutError, UserError } from '../errors.ts';
import type { EffectIo } from '../host.ts';
import { BudgetExceededError, CompactionError } from '../limitErrors.ts';
import { STREAM_ENDED, isContextOverflow } from '../modelErrorFacts.ts';
import type { Model, ModelRequest, ModelSettings } from '../ports.ts';
import type { CompactionOptions } from '../runOptions.ts';
import { type AnyAgent, type RunScope, ok } from '../scope.ts';
import { Usage } from '../usage.ts';
import { budgetFailure, priceOf, reserve } from './budgets.ts';
import { inTime } from './deadline.ts';
import { withoutReasoningIds } from '../reasoningIds.ts';
import { shapedByFilter } from './request.ts';

export const KEEP_USER_TOKENS = 20_000;
export const COMPACTION_PROMPT = [
  'The conversation above is about to be replaced by what you write now, because it has become too long.',
  'Write a summary from which whoever reads it can go on without a break and without asking again:',
  '- what is wanted, with every condition and preference that was stated, and what has been decided and why;',
  '- what has been done so far and what came of it, with names, paths, numbers, ids and quotations exactly as they were;',
  '- what went wrong and must not be tried again;',
  '- what is left to do, in order, and what was being done just now.',
  'Answer with the summary alone. Do not call tools, and do not answer the person.',
].join('\n');

/** The answer to one request, and how many of the oldest items it did not show. */
interface Asked { text: string; usage: Usage; dropped: number }
type Stage = 'preparing' | 'asking';

export async function compactor(scope: RunScope, input: CompactorInput, io: EffectIo): Promise<RecordedOutcome> {
  const agent = scope.agent(input.agent);
  const options = scope.option('compaction') ?? {};
  const attempt: { stage: Stage } = { stage: 'preparing' };
  try {
    const { text, usage, dropped } = await sumUp(scope, agent, { options, items: input.items, attempt }, io);
    attempt.stage = 'preparing';
    const item = compactionItem(text, await kept(options, input.items));
    const price = priceOf(scope, agent, options.model);
    return ok({ item, dropped, usage, ...(price && { cost: costOf(usage, price) }) });
  } catch (error) {
    scope.ledger.release(io.effectId);
    if (error instanceof BudgetExceededError) return budgetFailure(scope, error, io.effectId);
    if (attempt.stage === 'preparing') return scope.failure('user', error, io.effectId);
    const words = error instanceof Error ? error.message : String(error);
    return scope.failure('compaction', new CompactionError(`The conversation could not be shortened: ${words}`, { cause: error }), io.effectId);
  }
}

interface Task { options: CompactionOptions; items: AgentInputItem[]; attempt: { stage: Stage } }

/** Where not even this fits, the oldest items are left out: one, then twice as many each time, so that it comes to an end (N2). */
async function sumUp(scope: RunScope, agent: AnyAgent, { options, items, attempt }: Task, io: EffectIo): Promise<Asked> {
  const found = options.model === undefined ? scope.modelFor(agent) : scope.modelCalled(options.model);
  const model = found instanceof Promise ? await found : found;
  let shown = wellFormed(items);
  const all = shown.length;
  for (let count = 1; ; count *= 2) {
    attempt.stage = 'preparing';
    const request = await requestFor(scope, agent, options, shown, io.signal);
    reserve(scope, agent, { request, model: options.model }, io);
    io.signal.throwIfAborted(); // nothing starts after an interrupt (J4)
    attempt.stage = 'asking';
    try {
      const { output, usage } = await ask(scope, model, request, io);
      return { text: textOf(output), usage: new Usage(usage), dropped: all - shown.length };
    } catch (error) {
      const rest = isContextOverflow(error) ? withoutOldestOf(shown, count) : shown;
      if (rest.length === shown.length) throw error;
      shown = rest;
    }
  }
}

function withoutOldestOf(items: AgentInputItem[], count: number): AgentInputItem[] {
  let rest = items;
  for (let dropped = 0; dropped < count; dropped += 1) {
    const less = withoutOldest(rest);
    if (less.length === 0) break;
    rest = less;
  }
  return rest;
}

async function requestFor(scope: RunScope, agent: AnyAgent, options: CompactionOptions, items: AgentInputItem[], signal: AbortSignal): Promise<ModelRequest> {
  const instructions = options.instructions ?? (await agent.getSystemPrompt(scope.runContext));
  const prompt: AgentInputItem = { type: 'message', role: 'user', content: options.prompt ?? COMPACTION_PROMPT };
  const request: ModelRequest = {
    input: withoutReasoningIds(scope, [...readable(items), prompt]),
    modelSettings: settingsFor(scope, agent, options.modelSettings),
    tools: [],
    outputType: 'text',
    handoffs: [],
    tracing: false,
    signal,
  };
  if (instructions) request.systemInstructions = instructions;
  return shapedByFilter(scope, agent, request);
}

/** No tools are offered, so none is chosen; and there is nobody to try again but the run. */
function settingsFor(scope: RunScope, agent: AnyAgent, own: ModelSettings = {}): ModelSettings {
  const { toolChoice: _choice, parallelToolCalls: _parallel, retry: _retry, ...settings } = scope.settingsFor(agent);
  return { ...settings, ...own };
}

async function ask(scope: RunScope, model: Model, request: ModelRequest, io: EffectIo): Promise<{ output: AgentInputItem[]; usage: Usage }> {
  const { timeoutMs } = request.modelSettings;
  if (timeoutMs === undefined) return exchange(scope, model, request);
  const late = new ModelTimeoutError({ timeoutMs });
  const answer = await inTime(io, { ms: timeoutMs, late }, (signal) => exchange(scope, model, { ...request, signal }));
  if (!answer) throw late;
  return answer.value;
}

/** Streamed where the run streams, since some models can do nothing else; nobody watches it. */
async function exchange(scope: RunScope, model: Model, request: ModelRequest): Promise<{ output: AgentInputItem[]; usage: Usage }> {
  if (!scope.stream) return model.getResponse(request);
  for await (const event of model.getStreamedResponse(request)) {
    if (event.type === 'response_done') return { output: event.response.output, usage: new Usage(event.response.usage) };
  }
  throw new ModelError('The stream of the summary ended without its final event: the connection was lost.', { code: STREAM_ENDED });
}

async function kept({ keep, keepUserTokens = KEEP_USER_TOKENS }: CompactionOptions, items: AgentInputItem[]): Promise<AgentInputItem[]> {
  const before = unfolded(items);
  if (!keep) return newestUserMessages(before, keepUserTokens);
  const chosen: unknown = await keep(before);
  if (!Array.isArray(chosen)) throw new UserError('The `keep` of the compaction options has to return the list of items that stay.');
  return paired(chosen as AgentInputItem[]); // a list of the items it was given
}
