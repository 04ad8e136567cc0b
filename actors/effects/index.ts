/** All effects of a run by name, nested runs included: the one place where charts meet the app. */
import type { Leaves } from '../../machines/compose.ts';
import type { Call, CallResult, Response } from '../../machines/protocol/call.ts';
import type { Decision } from '../../machines/protocol/command.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { RecordedOutcome } from '../../machines/protocol/journal.ts';
import type { PreparedRun, RunInput, RunOutcome } from '../../machines/protocol/outcome.ts';
import type { Compacted } from '../../machines/compaction.ts';
import type { Finding } from '../../machines/toolCallMemory.ts';
import { withInvocation } from '../agentTool.ts';
import type { HeardEntry } from '../budget.ts';
import type { KeptScope } from '../checkpoint.ts';
import { messageOf } from '../errorRecord.ts';
import { UserError } from '../errors.ts';
import type { EffectIo, EffectRunner } from '../host.ts';
import { RunContext } from '../runContext.ts';
import { approvalItemOf } from '../runItems.ts';
import { type RunScope, ok } from '../scope.ts';
import { errorOf } from '../toError.ts';
import { Usage } from '../usage.ts';
import { approvalPolicy } from './approvals.ts';
import { compactor } from './compaction.ts';
import { agentEnd, conclude, errorHandler, runError } from './endings.ts';
import { type Screened, inputGuardrail, inputScreen, keepScreened, keepVerdicts, modelResponse, outputGuardrail, toolGuardrail } from './guardrails.ts';
import { handoffFilter } from './handoff.ts';
import { sample } from './model.ts';
import { stopHook } from './stopHooks.ts';
import { parsedArguments } from './readResponse.ts';
import { type Saved, continued, keepSaved, prepareWithSession, prepared, save } from './session.ts';
import { reconcile } from './reconcile.ts';
import { type CallInput, type DelegatedResult, HookFailure, execute, tellStart, toolOf } from './toolCalls.ts';

type Effect = (scope: RunScope, input: any, io: EffectIo) => Promise<RecordedOutcome>; // `any`: each effect has the input of its leaf

/** Makes the result object of a nested run for the app's own extractor. */
export type ResultMaker = (scope: RunScope, outcome: RunOutcome) => object;

export class Effects implements EffectRunner {
  readonly #scopes = new Map<string, RunScope>();
  readonly #root: RunScope;
  readonly #makeResult: ResultMaker;

  constructor(root: RunScope, makeResult: ResultMaker) {
    this.#root = root;
    this.#makeResult = makeResult;
    this.#scopes.set(root.runId, root);
  }

  run(src: keyof Leaves, input: any, io: EffectIo): RecordedOutcome | Promise<RecordedOutcome> {
    switch (src) {
      case 'prepare':
        return this.#prepare(input, io);
      case 'execute':
        return execute(this.scopeOf(io.effectId), input, io, (tool, nested) => this.#delegated(tool, nested, input));
      case 'person':
      case 'timer':
      case 'goal':
      case 'report':
        throw new Error(`The host itself sees to "${src}".`);
      default:
        return EFFECTS[src](this.scopeOf(io.effectId), input, io);
    }
  }

  /** Live and on replay: usage, responses and seen calls are what the outcomes add up to. */
  observe(src: keyof Leaves, input: any, outcome: RecordedOutcome): void {
    if (src === 'prepare' && input.input.delegatedBy) this.#nest(input.input);
    const scope = this.scopeOf(input.effectId);
    if (outcome.status === 'lost' || outcome.status === 'asks') return;
    if (src === 'outputGuardrail') return keepVerdicts(scope, input, outcome);
    if (outcome.status !== 'ok') {
      if (outcome.retryInMs !== undefined) scope.runContext.usage.add(new Usage({ requests: 1 })); // it was sent, and is sent again (A8)
      return;
    }
    if (src === 'inputScreen') return keepScreened(scope, outcome.value as Screened); // what the leaf of this name answers with
    if (src === 'person') return this.#observeDecision(scope, input, outcome.value as Decision); // what a person answers
    if (src === 'reconcile') return this.#observeFinding(scope, input, outcome.value as Finding); // what a tool found out
    if (src === 'prepare') {
      scope.sessionLength = (outcome.value as PreparedRun).sessionLength; // what the leaf of this name answers with
    } else if (src === 'model' && input.carried) {
      if (input.carried.unread) scope.ledger.count(input.effectId, outcome.value as Response, input.history); // its calls had not been
    } else if (src === 'model') {
      const response = outcome.value as Response; // what the leaf of this name answers with
      scope.runContext.usage.add(response.usage instanceof Usage ? response.usage : new Usage(response.usage));
      scope.rawResponses.push(modelResponse(response));
      scope.ledger.count(input.effectId, response, input.history);
    } else if (src === 'compactor') {
      const { usage, cost } = outcome.value as Compacted; // what the leaf of this name answers with
      scope.runContext.usage.add(usage instanceof Usage ? usage : new Usage(usage));
      scope.ledger.add(input.effectId, usage, cost);
    } else if (src === 'execute') this.#observeCall(scope, input, outcome.value as CallResult);
    else if (src === 'session') keepSaved(scope, input, outcome.value as Saved); // what the leaf of this name answers with
    else if (src === 'toolGuardrail') {
      const { verdicts } = outcome.value as { verdicts: any[] }; // as recorded by the effect
      for (const verdict of verdicts) (input.kind === 'toolInput' ? scope.toolInputGuardrailResults : scope.toolOutputGuardrailResults).push(verdict);
    }
  }

  /**
   * What an effect needs has to be there: asked before a run goes on in another process, so that nothing is recorded when it is not.
   * @param isDecided for a call that waits: it runs next.
   * @throws UserError naming the agent or the tool that is missing.
   */
  async checkFits(src: keyof Leaves, input: any, isDecided: boolean): Promise<void> {
    const { agent, call, effectId } = input as Partial<CallInput>; // as the inputs of all effects that an agent or a call is part of
    if (effectId === undefined || agent === undefined) return;
    const scope = this.scopeOf(effectId);
    const owner = scope.agent(agent);
    if (!call || call.item.type === 'hosted_tool_call' || (src === 'person' && !isDecided)) return;
    try {
      await toolOf(scope, owner, call);
    } catch (error) {
      throw new UserError(`Run ${this.#root.runId} cannot go on: ${messageOf(error)} Give the agent a tool of this name again.`);
    }
  }

  /** What the run is told about what it may cost, and when it began. */
  hear(entry: HeardEntry): void {
    this.#root.ledger.hear(entry);
  }

  /** What the effects so far have added up to, by the path of their run. */
  get memory(): KeptScope[] {
    return [...this.#scopes].map(([path, { memory }]) => ({ path, memory }));
  }

  /**
   * @param nested what the runs of agents used as tools were started with that are under way, outer ones first.
   * @returns false, and nothing has changed, when that was added up from elsewhere.
   */
  recall(scopes: readonly KeptScope[], nested: readonly RunInput[]): boolean {
    if (!scopes.every(({ path, memory }) => path !== this.#root.runId || this.#root.fits(memory))) return false;
    for (const input of nested) this.#nest(input);
    for (const { path, memory } of scopes) this.#scopes.get(path)?.recall(memory);
    return true;
  }

  /** The scope of the run, nested or not, that an effect belongs to. */
  scopeOf(effectId: string): RunScope {
    if (this.#scopes.size === 1) return this.#root;
    const at = effectId.lastIndexOf('/run/');
    return (at < 0 ? undefined : this.#scopes.get(effectId.slice(0, at + 4))) ?? this.#root;
  }

  get scopes(): Iterable<RunScope> {
    return this.#scopes.values();
  }

  #observeCall(scope: RunScope, { agent, call }: CallInput, result: CallResult): void {
    const key = `${agent} ${call.callId}`;
    const known = scope.calls.get(key);
    if (known) known.result = result;
    else scope.calls.set(key, { call, result });
  }

  /** What a person says that a call brought, or answers, is known from then on, like what its body brings (C5). */
  #observeDecision(scope: RunScope, input: CallInput & { path: string }, decision: Decision): void {
    if ('result' in decision && decision.result) this.#observeCall(scope, input, decision.result);
    keepAlways(scope, input, decision);
  }

  #observeFinding(scope: RunScope, input: CallInput, found: Finding): void {
    if (found.happened === true) this.#observeCall(scope, input, found.result);
  }

  #prepare({ input }: { input: RunInput }, io: EffectIo): Promise<RecordedOutcome> {
    const { delegatedBy, given = [], base } = input;
    if (base) return Promise.resolve(this.#prepareOfThread(input, base, io));
    if (!delegatedBy) return prepareWithSession(this.#root, this.#root.agent(input.agent), given, io);
    return this.#prepareNested(input, delegatedBy, io);
  }

  /** The history is in the thread. An agent or a tool that is missing by now fails this run, and no other. */
  #prepareOfThread({ agent, given = [] }: RunInput, { background }: NonNullable<RunInput['base']>, { effectId }: EffectIo): RecordedOutcome {
    try {
      return ok(prepared(this.#root, this.#root.agent(background ? this.#root.rootKey : agent), { history: [], input: given }));
    } catch (error) {
      return this.#root.failure('user', error, effectId);
    }
  }

  async #prepareNested(input: RunInput, call: Call, io: EffectIo): Promise<RecordedOutcome> {
    const parent = this.scopeOf(parentOf(input.path));
    try {
      const scope = this.#nest(input);
      const delegate = delegateOf(parent, input);
      if (input.resumed) return ok(continued(scope, input.resumed));
      const tool = await toolOf(parent, parent.agent(input.agent), call);
      await tellStart(parent, parent.agent(input.agent), tool, call, io.effectId);
      io.signal.throwIfAborted();
      const parsed = tool.type === 'function' ? argumentsOf(tool, call) : undefined;
      if (delegate.capturesInput) scope.runContext.toolInput = parsed;
      const built = await delegate.buildInput(parsed);
      const items: AgentInputItem[] = typeof built === 'string' ? [{ type: 'message', role: 'user', content: built }] : built;
      return await prepareWithSession(scope, delegate.agent, items, io);
    } catch (error) {
      return parent.failure('user', error instanceof HookFailure ? error.cause : error, io.effectId);
    }
  }

  /** The nested run shares context, usage and limits of the machine; decisions for always are not its own (D2). */
  #nest(input: RunInput): RunScope {
    const known = this.#scopes.get(input.path);
    if (known) return known;
    const parent = this.scopeOf(parentOf(input.path));
    const delegate = delegateOf(parent, input);
    const { context } = delegate.runOptions;
    const runContext = new RunContext<any>(context instanceof RunContext ? context.context : (context ?? parent.runContext.context));
    runContext.usage = parent.runContext.usage;
    const scope = parent.nested(input.path, delegate, runContext, input.delegatedBy!);
    this.#scopes.set(input.path, scope);
    return scope;
  }

  /** What a nested run brought, as the value of its call; a failure is an error of the tool (F5). */
  async #delegated(tool: Parameters<DelegatedResult>[0], nested: RunOutcome, { effectId, call }: CallInput): Promise<unknown> {
    const path = `${parentOf(effectId)}/run`;
    const scope = this.#scopes.get(path) ?? this.#root;
    if (nested.status === 'failed') throw errorOf(scope, nested.failure!);
    if (nested.status === 'stopped') throw new Error(`The agent tool "${tool.name}" was stopped before it had an answer.`);
    return tool.delegate!.extractOutput(withInvocation(this.#makeResult(scope, nested), invocationOf(call)));
  }
}

const EFFECTS: Record<Exclude<keyof Leaves, 'prepare' | 'execute' | 'person' | 'timer' | 'goal' | 'report'>, Effect> = {
  model: sample,
  inputGuardrail,
  inputScreen,
  stopHook,
  outputGuardrail,
  toolGuardrail,
  reconcile,
  approvalPolicy,
  conclude,
  agentEnd,
  runError,
  errorHandler,
  handoffFilter,
  session: save,
  compactor,
};

/** A decision for always holds for this agent and this tool, in this run and its resumes (D2). */
function keepAlways(scope: RunScope, { effectId: id, path, agent, call }: CallInput & { path: string }, decision: Decision): void {
  if ((decision.decision !== 'approve' && decision.decision !== 'reject') || !decision.always) return;
  const item = approvalItemOf(scope, { id, path, agent, call });
  if (decision.decision === 'approve') scope.runContext.approveTool(item, { alwaysApprove: true });
  else scope.runContext.rejectTool(item, { alwaysReject: true, message: decision.message });
}

const invocationOf = ({ name, callId, item, edited }: Call) => ({
  toolName: name,
  toolCallId: callId,
  toolArguments: edited ?? (item.type === 'function_call' ? item.arguments : undefined),
});

/** `<call path>/run` and `<call path>/execute#1` both belong to the call. */
const parentOf = (path: string) => path.slice(0, path.lastIndexOf('/'));

function delegateOf(parent: RunScope, { agent: key, delegatedBy }: RunInput) {
  const agent = parent.agent(key);
  const tool = agent.tools.find((candidate) => candidate.type === 'function' && candidate.name === delegatedBy!.name);
  if (tool?.type === 'function' && tool.delegate) return tool.delegate;
  throw new UserError(`Agent "${agent.name}" no longer has the agent tool "${delegatedBy!.name}" that this run needs. Give it a tool of this name again.`);
}

function argumentsOf(tool: Parameters<DelegatedResult>[0], call: Call): unknown {
  if (call.item.type !== 'function_call') return undefined;
  if (call.edited === undefined && parsedArguments.has(call.item)) return parsedArguments.get(call.item);
  const parsed = tool.parseInput(call.edited ?? call.item.arguments);
  if (!parsed.ok) throw new Error(`The arguments of "${tool.name}" do not fit its schema: ${messageOf(parsed.message)}`);
  return parsed.value;
}

