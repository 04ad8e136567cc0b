/** One model response: prepared, asked for, read. Streaming or not, the same thing comes out (A1). */
import { asksForWork, withoutLooseReasoning } from '../../machines/history.ts';
import { type Call, type Response, NO_USAGE } from '../../machines/protocol/call.ts';
import type { AgentOutputItem } from '../../machines/protocol/item.ts';
import type { RecordedOutcome } from '../../machines/protocol/journal.ts';
import type { ModelInput } from '../../machines/turn.ts';
import { messageOf } from '../errorRecord.ts';
import { AgentsError, ModelBehaviorError, ModelError, ModelTimeoutError } from '../errors.ts';
import type { EffectIo } from '../host.ts';
import { toItems } from '../input.ts';
import type { Model, ModelRequest, ModelResponse, ModelRetryAdvice } from '../ports.ts';
import { BudgetExceededError, ContextWindowError } from '../limitErrors.ts';
import { STREAM_ENDED, isContextOverflow } from '../modelErrorFacts.ts';
import { backoffDelay, normalizeModelError } from '../retryPolicies.ts';
import { type AnyAgent, type RunScope, ok } from '../scope.ts';
import { Usage } from '../usage.ts';
import { admitted, budgetFailure, noteBudget, reserve } from './budgets.ts';
import { inTime } from './deadline.ts';
import { answerOf, isAnswer, keptItems, readyCalls } from './kept.ts';
import { type Offered, handoffIn, newCall, readResponse } from './readResponse.ts';
import { type PreparedRequest, offerFor, prepareRequest } from './request.ts';

/** Where in the effect it went wrong decides what it means. */
type Stage = 'preparing' | 'asking' | 'reading';

export async function sample(scope: RunScope, input: ModelInput, io: EffectIo): Promise<RecordedOutcome> {
  if (input.carried && !input.carried.unread) return ok({ ...input.carried, usage: NO_USAGE });
  const agent = scope.agent(input.agent);
  const attempt: Attempt = { stage: 'preparing', visible: false, kept: keptItems(input, io), ready: readyCalls(input, io), keeps: false, scope, input, io };
  try {
    if (input.carried) return ok(await reread(scope, agent, input.carried, io));
    const pause = input.attempt === 1 ? scope.pace?.(io.signal) : undefined;
    if (pause) await pause;
    await tellStart(scope, agent, input, io);
    const prepared = await prepareRequest(scope, agent, input, io);
    io.signal.throwIfAborted(); // nothing starts after an interrupt (J4)
    if (!isAnswer(attempt.kept)) reserve(scope, agent, { request: prepared.request, history: input.history }, io);
    if (!isAnswer(attempt.kept) && scope.listens(agent, 'agent_llm_start')) await scope.tell(agent, 'agent_llm_start', prepared.request, io.effectId);
    const found = scope.modelFor(agent);
    attempt.model = found instanceof Promise ? await found : found;
    attempt.request = prepared.request;
    io.signal.throwIfAborted();
    attempt.stage = 'asking';
    const answer = await complete(attempt, agent, prepared);
    io.signal.throwIfAborted();
    attempt.stage = 'reading';
    if (scope.listens(agent, 'agent_llm_end')) await scope.tell(agent, 'agent_llm_end', answer, io.effectId);
    const response = await readResponse(scope, agent, prepared.offered, answer, attempt.ready);
    if (prepared.filteredInput) response.filteredInput = prepared.filteredInput;
    if (prepared.notices && !isAnswer(attempt.kept)) response.notices = prepared.notices;
    noteBudget(scope, agent, response, { request: prepared.request, ready: attempt.ready }, io);
    return ok(response);
  } catch (error) {
    return explain(attempt, error);
  }
}

interface Attempt {
  stage: Stage;
  /** Something of the answer has reached a listener: it cannot be taken back. */
  visible: boolean;
  /** What of the answer is complete. */
  kept: AgentOutputItem[];
  /** Calls among it that may begin before all of it is there (C4). */
  ready: Call[];
  /** What is complete is written down at once (K2, O2). */
  keeps: boolean;
  scope: RunScope;
  input: ModelInput;
  io: EffectIo;
  model?: Model;
  request?: ModelRequest;
}

async function tellStart(scope: RunScope, agent: AnyAgent, input: ModelInput, io: EffectIo): Promise<void> {
  if (input.attempt > 1) return;
  io.signal.throwIfAborted(); // nothing starts after an interrupt (J4)
  if (input.first && scope.listens(agent, 'agent_start')) {
    await agent.emitAndWait('agent_start', scope.runContext, agent, input.history.toArray(), { effectId: io.effectId });
    await scope.hooks?.emitAndWait('agent_start', scope.runContext, agent, input.history.toArray(), { effectId: io.effectId });
  }
  io.signal.throwIfAborted();
  if (scope.listens(agent, 'agent_turn_start')) await scope.tell(agent, 'agent_turn_start', input.turn, io.effectId);
  io.signal.throwIfAborted();
}

/** What was complete of an answer that came to nothing is read as one: its calls are carried out, and have been in part. */
async function reread(scope: RunScope, agent: AnyAgent, { items, calls }: Response, io: EffectIo): Promise<Response> {
  const output = items as AgentOutputItem[]; // completed items of a model's answer
  const response = await readResponse(scope, agent, await offerFor(scope, agent), { usage: new Usage({ ...NO_USAGE, requests: 0 }), output }, calls);
  return { ...response, calls: admitted(scope, response.calls, calls, io) };
}

/** Goes on from what is complete of the answer already; where a call is, that is carried out first. */
async function complete(attempt: Attempt, agent: AnyAgent, prepared: PreparedRequest): Promise<ModelResponse> {
  const before = attempt.kept.slice();
  if (isAnswer(before)) return answerOf(before, attempt.input);
  if (before.length === 0) return ask(attempt, agent, prepared);
  const request = { ...prepared.request, input: [...toItems(prepared.request.input), ...before] };
  attempt.request = request;
  const answer = await ask(attempt, agent, { ...prepared, request });
  return { ...answer, output: [...before, ...answer.output] };
}

async function ask(attempt: Attempt, agent: AnyAgent, { request, offered }: PreparedRequest): Promise<ModelResponse> {
  const { timeoutMs } = request.modelSettings;
  attempt.io.asked();
  const read = (given: ModelRequest) => (attempt.scope.stream ? readStream(attempt, agent, given, offered) : attempt.model!.getResponse(given));
  if (timeoutMs === undefined) return read(request);
  const late = new ModelTimeoutError({ timeoutMs });
  const answer = await inTime(attempt.io, { ms: timeoutMs, late }, (signal) => read({ ...request, signal }));
  if (!answer) throw late;
  return answer.value;
}

async function readStream(attempt: Attempt, agent: AnyAgent, request: ModelRequest, offered: Offered): Promise<ModelResponse> {
  const { scope, input, io, model } = attempt;
  const { onRaw } = scope;
  const isEager = scope.option('toolStart') === 'eager' && !input.server;
  attempt.keeps = isEager || (keepsOutput(request) && !input.server);
  let answer: ModelResponse | undefined;
  for await (const event of model!.getStreamedResponse(request)) {
    if (request.signal!.aborted) break; // timed out or interrupted: what comes late has no reader
    if (event.type === 'output_text_delta') {
      attempt.visible = true;
      io.keepPartial(event.delta);
    } else if (event.type === 'response_done') {
      const { id, usage, output, requestId, rawUsage, providerData } = event.response;
      answer = { responseId: id, usage: new Usage(usage), output, requestId, rawUsage, providerData };
    }
    onRaw?.(io.effectId, input.agent, event);
    const item = answer ? undefined : model!.completedItem?.(event);
    if (item && attempt.keeps) await keep(attempt, agent, item, isEager ? offered : undefined);
    else if (item && !input.server) io.noteItem(item);
  }
  if (answer) return answer;
  throw new ModelError('The model stream ended without its final event: the connection was lost. Run again from the state of this error.', { code: STREAM_ENDED });
}

const keepsOutput = ({ modelSettings }: ModelRequest) => modelSettings.retry?.afterOutput === true;

/** @param offered where a call begins as soon as it is complete. Shell and patch calls come after all others of their answer: they cannot (C3). */
async function keep(attempt: Attempt, agent: AnyAgent, item: AgentOutputItem, offered?: Offered): Promise<void> {
  const { kept, ready, scope, io } = attempt;
  let call: Awaited<ReturnType<typeof newCall>>;
  if (offered && asksForWork(item) && !handoffIn(scope, offered, item)) {
    attempt.stage = 'reading';
    call = await newCall(scope, agent, offered, item, ready);
    attempt.stage = 'asking';
  }
  if (call === 'repeated' || io.signal.aborted) return;
  kept.push(item);
  if (!call) return io.keepItem(item);
  const isLater = item.type === 'shell_call' || item.type === 'apply_patch_call';
  const [counted] = admitted(scope, [call], ready, io);
  ready.push(counted!);
  io.keepItem(item, isLater ? undefined : counted);
}

/** Trouble as data: whose it is, whether the request was sent, and when to try again (K1, K4). */
async function explain(attempt: Attempt, error: unknown): Promise<RecordedOutcome> {
  const { scope, io, stage } = attempt;
  scope.ledger.release(io.effectId);
  if (error instanceof BudgetExceededError) return budgetFailure(scope, error, io.effectId);
  if (stage === 'preparing') return scope.failure('user', error, io.effectId, { sent: false });
  if (error instanceof ModelBehaviorError) return scope.failure('modelBehavior', error, io.effectId);
  if (stage === 'reading') return scope.failure('user', error, io.effectId);
  if (isContextOverflow(error)) return scope.failure('contextWindow', new ContextWindowError(messageOf(error), { cause: error }), io.effectId);
  const code = error instanceof ModelTimeoutError ? 'modelTimeout' : error instanceof AgentsError && !(error instanceof ModelError) ? 'user' : 'model';
  const detail = error instanceof ModelTimeoutError ? { detail: { timeoutMs: error.timeoutMs } } : {};
  const failed = scope.failure(code, error, io.effectId, detail);
  const retryInMs = await retryDelay(attempt, error);
  if (retryInMs === undefined || failed.status !== 'error') return failed;
  if (!attempt.keeps && !keepsOutput(attempt.request!)) return { ...failed, retryInMs };
  return { ...failed, retryInMs, kept: withoutLooseReasoning(attempt.kept) };
}

async function retryDelay(attempt: Attempt, error: unknown): Promise<number | undefined> {
  const { request, model, input, io, scope, visible } = attempt;
  const retry = request?.modelSettings.retry;
  if (!retry?.policy || (visible && !retry.afterOutput) || io.signal.aborted || input.attempt > (retry.maxRetries ?? 0)) return undefined;
  const advice = await model!.getRetryAdvice?.({ request: request!, error, stream: scope.stream, attempt: input.attempt });
  const normalized = normalizeModelError(error, advice);
  if (normalized.isAbort) return undefined;
  const statefulRequest = request!.conversationId !== undefined || request!.previousResponseId !== undefined;
  const decision = await retry.policy({
    error,
    attempt: input.attempt,
    maxRetries: retry.maxRetries ?? 0,
    stream: scope.stream,
    providerAdvice: advice,
    normalized,
    previousResponseId: request!.previousResponseId,
    conversationId: request!.conversationId,
    replaySafety: advice?.replaySafety ?? 'unknown',
    responseStarted: advice?.responseStarted,
    statefulRequest,
  });
  const wanted = typeof decision === 'boolean' ? { retry: decision } : decision;
  if (!wanted.retry || !isSafe(statefulRequest, advice, error, 'approveUnsafeReplay' in wanted && wanted.approveUnsafeReplay === true)) return undefined;
  if ('delayMs' in wanted && wanted.delayMs !== undefined) return wanted.delayMs;
  return backoffDelay({ attempt: input.attempt, backoff: retry.backoff, retryAfterMs: normalized.retryAfterMs, random: Math.random });
}

/** What the provider may have done already is not asked for twice without its word or the app's (K1). */
function isSafe(stateful: boolean, advice: ModelRetryAdvice | undefined, error: unknown, approved: boolean): boolean {
  if (approved) return true;
  if (advice?.replaySafety === 'unsafe') return false;
  const unknown = stateful || error instanceof ModelTimeoutError;
  return !unknown || advice?.replaySafety === 'safe';
}
