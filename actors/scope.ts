/** What the effects of one run have at hand: agents by key, tools by name, models, context, hooks. Nothing here is recorded. */
import type { Call, CallResult } from '../machines/protocol/call.ts';
import type { Failure, FailureCode } from '../machines/protocol/failure.ts';
import type { RecordedOutcome } from '../machines/protocol/journal.ts';
import type { AgentInputItem } from '../machines/protocol/item.ts';
import type { AgentToolDelegate } from './agentTool.ts';
import { ApprovalRules } from './approvalRules.ts';
import { errorRecordOf, messageOf } from './errorRecord.ts';
import { UserError } from './errors.ts';
import type { InputGuardrailResult, OutputGuardrailResult } from './guardrail.ts';
import { checkExpiry } from './expiry.ts';
import { Handoff } from './handoff.ts';
import type { RunHooks } from './lifecycle.ts';
import type { Computer, Model, ModelResponse, ModelSettings, StreamEventListener } from './ports.ts';
import { getDefaultModelProvider } from './providers.ts';
import type { RunContext } from './runContext.ts';
import type { RunConfig, SharedRunOptions } from './runOptions.ts';
import { canonical } from './fingerprint.ts';
import { RETRY_BY_DEFAULT } from './retryPolicies.ts';
import { Ledger } from './budget.ts';
import { getDefaultModel } from './defaultModel.ts';
import type { ScopeMemory } from './scopeMemory.ts';
import type { AnyAgent, AnyRunOptions, Pace, ProgressListener, ScopeOptions, ScopeOverrides } from './scopeOptions.ts';
import { Usage } from './usage.ts';
import type { ToolInputGuardrailResult, ToolOutputGuardrailResult } from './toolGuardrail.ts';

export type { AnyAgent, AnyRunOptions, BackgroundStart, Pace, ProgressListener, ScopeOptions, ScopeOverrides } from './scopeOptions.ts';

export class RunScope {
  readonly runId: string;
  readonly config: Partial<RunConfig>;
  readonly options: AnyRunOptions;
  readonly runContext: RunContext<any>;
  readonly hooks: RunHooks<any, any> | undefined;
  readonly stream: boolean;
  readonly onRaw: StreamEventListener | undefined;
  readonly onProgress: ProgressListener | undefined;
  readonly pace: Pace | undefined;
  readonly rawResponses: ModelResponse[] = [];
  readonly outputGuardrailResults: OutputGuardrailResult<any, any>[] = [];
  /** What input guardrails said of input that joined after the first (E6). */
  readonly inputGuardrailResults: InputGuardrailResult[] = [];
  readonly toolInputGuardrailResults: ToolInputGuardrailResult[] = [];
  readonly toolOutputGuardrailResults: ToolOutputGuardrailResult[] = [];
  /** Calls that were seen, by agent and call id (C5). */
  readonly calls = new Map<string, { call: Call; result?: CallResult }>();
  /** Computers that were made for this run, and how to put them away (C10). */
  readonly computers = new Map<object, { computer: Computer; dispose: () => Promise<void> }>();
  /** The input as the app gave it, where guardrails are to see it in that form. */
  originalInput: string | AgentInputItem[] | undefined;
  compactionDeferred = false;
  /** Items that the session has, as far as this run knows; nothing when it cannot know. */
  sessionLength: number | undefined;
  readonly #agents = new Map<string, AnyAgent>();
  readonly #keys = new Map<AnyAgent, string>();
  readonly #models = new Map<string | undefined, Model | Promise<Model>>();
  readonly #causes: Map<string, unknown>;
  readonly #usageBefore: Usage | undefined;
  readonly #retryByDefault: boolean;
  readonly runData: ScopeOptions['runData'];
  readonly isNested: boolean;
  readonly overrides: ScopeOverrides | undefined;
  readonly startBackground: ScopeOptions['startBackground'];
  readonly delegate: ScopeOptions['delegate'];
  readonly deliver: ScopeOptions['deliver'];
  /** Approval policies that hold here, the innermost first (M8). */
  readonly rules: readonly ApprovalRules[];
  readonly ledger: Ledger;

  constructor(scope: ScopeOptions) {
    this.runId = scope.runId;
    this.config = scope.config;
    this.options = scope.options;
    this.runContext = scope.runContext;
    this.#usageBefore = scope.runContext.usage.requests > 0 ? new Usage(scope.runContext.usage) : undefined;
    this.hooks = scope.hooks;
    this.stream = scope.stream;
    this.#retryByDefault = scope.retryByDefault ?? false;
    this.onRaw = scope.onRaw;
    this.onProgress = scope.onProgress;
    this.pace = scope.pace;
    this.#causes = scope.causes;
    this.runData = scope.runData;
    this.isNested = scope.isNested ?? false;
    this.overrides = scope.overrides;
    this.startBackground = scope.startBackground;
    this.delegate = scope.delegate;
    this.deliver = scope.deliver;
    this.rules = rulesOf(scope);
    checkExpiry(this.option('approvalExpiresAfterMs'), 'approvalExpiresAfterMs');
    this.ledger = scope.ledger ?? new Ledger();
    this.keyOf(scope.agent);
  }

  /** Per-run option, else what the runner says. */
  option<Key extends keyof SharedRunOptions<any, any> & keyof RunConfig>(key: Key): SharedRunOptions<any, any>[Key] | undefined {
    return this.options[key] ?? (this.config[key] as SharedRunOptions<any, any>[Key]); // the two agree on the options they share
  }

  /** Of one result, as the model reads it; null for any number (C6). */
  get maxToolOutputBytes(): number | null {
    const { options, config } = this;
    return (options.maxToolOutputBytes === undefined ? config.maxToolOutputBytes : options.maxToolOutputBytes) ?? null;
  }

  /** The same context and decisions; usage as it was before the run, because replay adds it up again. */
  contextForReplay(): RunContext<any> {
    const again = this.runContext.forCall();
    again.usage = new Usage(this.#usageBefore);
    return again;
  }

  /** What observing the effects so far has added up to. */
  get memory(): ScopeMemory {
    const { usage, decisions, toolInput } = this.runContext;
    return {
      ...(this.isNested ? {} : { usage, usageBefore: this.#usageBefore, ledger: this.ledger.memory }),
      decisions,
      responses: this.rawResponses,
      calls: [...this.calls],
      inputVerdicts: this.toolInputGuardrailResults,
      outputVerdicts: this.toolOutputGuardrailResults,
      screenVerdicts: this.inputGuardrailResults,
      finalVerdicts: this.outputGuardrailResults.map(({ agent, ...verdict }) => ({ ...verdict, agent: this.keyOf(agent) })),
      compactionDeferred: this.compactionDeferred,
      sessionLength: this.sessionLength,
      toolInput,
    };
  }

  /** Whether the context stands where it stood when the run began: what the run adds to it can be added at once. */
  fits({ usageBefore }: ScopeMemory): boolean {
    return this.isNested || canonical(this.#usageBefore) === canonical(usageBefore);
  }

  recall(memory: ScopeMemory): void {
    if (memory.usage !== undefined) Object.assign(this.runContext.usage, Usage.fromJSON(memory.usage as Usage)); // casts here: as `memory` gave them, read back from JSON
    this.runContext.restoreDecisions(memory.decisions);
    for (const response of memory.responses) this.rawResponses.push({ ...response, usage: Usage.fromJSON(response.usage as Usage) } as ModelResponse);
    for (const [key, seen] of memory.calls) this.calls.set(key, seen);
    this.toolInputGuardrailResults.push(...(memory.inputVerdicts as ToolInputGuardrailResult[]));
    this.toolOutputGuardrailResults.push(...(memory.outputVerdicts as ToolOutputGuardrailResult[]));
    this.inputGuardrailResults.push(...((memory.screenVerdicts ?? []) as InputGuardrailResult[]));
    for (const { agent, ...verdict } of memory.finalVerdicts) this.outputGuardrailResults.push({ ...verdict, agent: this.agent(agent) } as OutputGuardrailResult<any, any>); // of the type of its agent
    this.compactionDeferred = memory.compactionDeferred;
    this.sessionLength = memory.sessionLength;
    if (memory.ledger) this.ledger.recall(memory.ledger);
    if (memory.toolInput !== undefined) this.runContext.toolInput = memory.toolInput;
  }

  /** A policy may have something to say about calls (M8). */
  get hasPolicy(): boolean {
    return this.rules.some(({ isSilent }) => !isSilent);
  }

  /** Key of the agent the run was started with. */
  get rootKey(): string {
    return this.#agents.keys().next().value!; // the constructor met it first
  }

  /** All agents that this run is known to lead to. */
  get agents(): AnyAgent[] {
    return [...this.#agents.values()];
  }

  /** The provider keeps the conversation (G2). */
  get serverManaged(): boolean {
    const { conversationId, previousResponseId, autoPreviousResponseId } = this.options;
    return conversationId !== undefined || previousResponseId !== undefined || autoPreviousResponseId === true;
  }

  /** The name by which charts know an agent. Two agents of one name are told apart by the order in which they were met. */
  keyOf(agent: AnyAgent): string {
    const known = this.#keys.get(agent);
    if (known !== undefined) return known;
    let key = agent.name;
    for (let nth = 2; this.#agents.has(key); nth += 1) key = `${agent.name}#${nth}`;
    this.#agents.set(key, agent);
    this.#keys.set(agent, key);
    for (const target of agent.handoffs) this.keyOf(target instanceof Handoff ? target.agent : target);
    return key;
  }

  agent(key: string): AnyAgent {
    const agent = this.#agents.get(key);
    if (agent) return agent;
    const known = [...this.#agents.keys()].map((name) => `"${name}"`).join(', ');
    throw new UserError(`The run needs the agent "${key}", which the agent it was started with does not lead to (it leads to ${known}). Pass the agent that handed off to it.`);
  }

  /** The settings for a call: run, then agent, then runner (A9). */
  settingsFor(agent: AnyAgent): ModelSettings {
    const { modelSettings: ofRun } = this.options;
    const { modelSettings: ofRunner } = this.config;
    const settings = ofRun || ofRunner ? { ...ofRunner, ...agent.modelSettings, ...ofRun } : agent.modelSettings;
    return this.#retryByDefault && settings.retry === undefined ? { ...settings, retry: RETRY_BY_DEFAULT } : settings;
  }

  modelFor(agent: AnyAgent): Model | Promise<Model> {
    return this.modelCalled(this.#wantedBy(agent));
  }

  modelCalled(wanted: string | Model | undefined): Model | Promise<Model> {
    if (wanted !== undefined && typeof wanted !== 'string') return wanted;
    const known = this.#models.get(wanted);
    if (known) return known;
    const provider = this.config.modelProvider ?? getDefaultModelProvider();
    const model = provider.getModel(wanted);
    this.#models.set(wanted, model);
    return model;
  }

  /** By which it has a price; nothing for a model that was given as an object. */
  modelName(agent: AnyAgent, wanted: string | Model = this.#wantedBy(agent) ?? getDefaultModel()): string | undefined {
    return typeof wanted === 'string' ? wanted : undefined;
  }

  #wantedBy(agent: AnyAgent): string | Model | undefined {
    return this.options.model ?? (agent.model || this.config.model || undefined);
  }

  /** True when the name of the model comes from neither run, agent nor runner. */
  usesDefaultModel(agent: AnyAgent): boolean {
    return !this.options.model && !agent.model && !this.config.model;
  }

  /** The handoffs of an agent that are offered now, by the name of their tool. */
  handoffsOf(agent: AnyAgent): Promise<Handoff<any, any>[]> | Handoff<any, any>[] {
    return agent.handoffs.length === 0 ? NONE : agent.getEnabledHandoffs(this.runContext);
  }

  listens(agent: AnyAgent, event: Parameters<RunHooks<any, any>['listens']>[0]): boolean {
    return agent.listens(event) || this.hooks?.listens(event) === true;
  }

  /** Runner's hooks and the agent's, awaited; the first that throws fails the run (H1). */
  async tell(agent: AnyAgent, event: 'agent_llm_start' | 'agent_llm_end' | 'agent_turn_start' | 'agent_turn_end' | 'agent_error', value: any, effectId: string): Promise<void> { // `any`: each event has a value of its own
    await agent.emitAndWait(event, this.runContext, value, { effectId });
    await this.hooks?.emitAndWait(event, this.runContext, agent, value, { effectId });
  }

  /** The scope of an agent that is run as a tool; it may have its own options, and inherits what they leave open. */
  nested(runId: string, delegate: AgentToolDelegate<any, any>, runContext: RunContext<any>, { item }: Call): RunScope {
    const toolCall = item.type === 'function_call' ? item : undefined;
    const listens = delegate.isStreaming();
    return new RunScope({
      runId,
      agent: delegate.agent,
      config: { ...this.config, approvalPolicy: undefined, approvalExpiresAfterMs: this.option('approvalExpiresAfterMs'), maxToolOutputBytes: this.maxToolOutputBytes, ...delegate.runConfig },
      options: { stuckDetection: this.option('stuckDetection'), ...delegate.runOptions, clock: this.options.clock },
      runContext,
      stream: this.stream || listens,
      retryByDefault: this.#retryByDefault,
      onRaw: this.onRaw,
      onProgress: this.onProgress,
      pace: this.pace,
      isNested: true,
      ledger: this.ledger,
      runData: this.runData,
      deliver: listens ? (event) => void delegate.onStream({ event, agent: delegate.agent, toolCall }) : undefined,
      causes: this.#causes,
      outerRules: this.rules,
      startBackground: this.startBackground,
    });
  }

  causeOf(effectId: string | undefined): unknown {
    return effectId === undefined ? undefined : this.#causes.get(effectId);
  }

  /** Trouble that ends the run, as data; the error itself is kept for the caller. */
  failure(code: FailureCode, error: unknown, effectId: string, more: Partial<Failure> = {}): RecordedOutcome {
    this.#causes.set(effectId, error);
    return { status: 'error', failure: { code, message: messageOf(error), effectId, error: errorRecordOf(error), ...more } };
  }
}

/** Some agent that a run of this one may use as a tool has listeners of its own. */
export function agentHasListeners(agent: AnyAgent, seen = new Set<AnyAgent>()): boolean {
  if (seen.has(agent)) return false;
  seen.add(agent);
  const inTools = agent.tools.some((tool) => tool.type === 'function' && tool.delegate && (tool.delegate.isStreaming() || agentHasListeners(tool.delegate.agent, seen)));
  return inTools || agent.handoffs.some((target) => agentHasListeners(target instanceof Handoff ? target.agent : target, seen));
}

function rulesOf({ options, config, outerRules = [] }: ScopeOptions): readonly ApprovalRules[] {
  const own = ApprovalRules.from(options.approvalPolicy ?? config.approvalPolicy);
  return own ? [own, ...outerRules] : outerRules;
}

const NONE: Handoff<any, any>[] = [];
export const ok = (value: unknown): RecordedOutcome => ({ status: 'ok', value });
