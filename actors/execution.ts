/** One live run: agents, host and effects put together, from its input or its state to rest. */
import { CHART_VERSIONS } from '../machines/versions.ts';
import { wellFormed } from '../machines/history.ts';
import type { Decision, PendingInput } from '../machines/protocol/command.ts';
import type { AgentInputItem } from '../machines/protocol/item.ts';
import type { JournalEntry } from '../machines/protocol/journal.ts';
import type { PreparedRun, RunInput, RunOutcome } from '../machines/protocol/outcome.ts';
import { systemClock } from './clock.ts';
import { Effects } from './effects/index.ts';
import { argumentsText } from './effects/readResponse.ts';
import { prepared } from './effects/session.ts';
import { toolOf } from './effects/toolCalls.ts';
import { rejectionText } from './effects/approvals.ts';
import { StaleStateError } from './errors.ts';
import { Host, type OpenDecision } from './host.ts';
import { type Journal, MemoryJournal } from './journal.ts';
import type { RunHooks } from './lifecycle.ts';
import { toItems } from './input.ts';
import { type Progress, progressOf } from './progress.ts';
import { RunContext } from './runContext.ts';
import { RunView, type ViewListener } from './runView.ts';
import type { RunConfig } from './runOptions.ts';
import { RunResult } from './result.ts';
import { type RunSource, RunState } from './runState.ts';
import { type AnyAgent, type AnyRunOptions, RunScope, agentHasListeners } from './scope.ts';

export interface ExecutionOptions {
  agent: AnyAgent;
  config: Partial<RunConfig>;
  options: AnyRunOptions;
  hooks?: RunHooks<any, any>;
  stream: boolean;
  /** Hears the events of the stream of the Agents SDK. */
  onStream?: ViewListener;
}

export class Execution implements RunSource {
  readonly state: RunState<any, any>;
  readonly scope: RunScope;
  readonly #host: Host;
  readonly #effects: Effects;
  readonly #options: AnyRunOptions;
  readonly #rest: Promise<void>;
  #wake: () => void = () => undefined;
  /** What there was to see when the run came to rest; before that, its actors know. */
  #atRest: { progress: Progress; openDecisions: OpenDecision[] } | undefined;
  #signals: (() => void)[] = [];

  /** @param from the state to go on from; a fresh run without it. */
  constructor({ agent, config, options, hooks, stream, onStream }: ExecutionOptions, from?: { state?: RunState<any, any>; runId?: string; journal?: Journal; runContext?: RunContext<any> }) {
    this.#options = options;
    this.#rest = new Promise((resolve) => (this.#wake = resolve));
    const causes = new Map<string, unknown>();
    const listens = onStream !== undefined || options.onEvent !== undefined || agentHasListeners(agent);
    const view = listens ? new RunView({ onStream, onEvent: options.onEvent, bufferUntilGuarded: options.bufferUntilGuarded }) : undefined;
    this.scope = new RunScope({
      runId: from?.runId ?? options.runId ?? `run_${globalThis.crypto.randomUUID()}`,
      agent,
      config,
      options,
      runContext: from?.runContext ?? toRunContext(options.context),
      hooks,
      stream,
      causes,
      onRaw: view?.raw,
      runData: () => ({ ...this.state.look(), state: this.state }),
    });
    this.#effects = new Effects(this.scope, settledResult);
    this.#host = new Host({
      runId: this.scope.runId,
      journal: from?.journal ?? options.journal ?? config.journal ?? new MemoryJournal(),
      clock: options.clock ?? config.clock ?? systemClock,
      effects: this.#effects,
      causes,
      onRest: () => this.#check(),
      onEvent: view?.emitted,
      inspect: options.inspect,
      maxConcurrency: this.scope.option('toolExecution')?.maxFunctionToolConcurrency ?? undefined,
      graceMs: this.scope.option('graceMs'),
    });
    view?.follow(this.#host, this.#effects);
    this.state = from?.state ?? new RunState(this);
    this.state.follow(this);
  }

  get journal(): Journal {
    return this.#host.journal;
  }

  get entries(): readonly JournalEntry[] {
    return this.#host.entries;
  }

  get isLive(): boolean {
    return this.#atRest === undefined;
  }

  get outcome(): RunOutcome | null {
    return this.#host.outcome;
  }

  get crash(): { error: unknown } | null {
    return this.#host.crash;
  }

  get progress(): Progress {
    return this.#atRest?.progress ?? progressOf(this.#host.snapshot);
  }

  get openDecisions(): OpenDecision[] {
    return this.#atRest?.openDecisions ?? this.#host.openDecisions;
  }

  scopeOf(id: string): RunScope {
    return this.#effects.scopeOf(id);
  }

  /** Runs from an input until there is an outcome, or until only a person can help. */
  async start(input: string | AgentInputItem[]): Promise<void> {
    this.scope.originalInput = this.#options.session ? undefined : input;
    const given = toItems(input);
    const runInput: RunInput = { path: this.scope.runId, agent: this.scope.rootKey };
    const agent = this.scope.agent(this.scope.rootKey);
    if (this.#options.session) runInput.given = given;
    else runInput.prepared = prepared(this.scope, agent, { history: wellFormed(given), input: given });
    this.#listen();
    await this.#host.start(runInput, CHART_VERSIONS);
    await this.#rest;
    await this.#wind();
  }

  /** Goes on with a run that waits: the same run, fed the same entries. */
  async resume(entries: readonly JournalEntry[]): Promise<void> {
    this.#listen();
    await this.#host.replay(entries);
    const { maxTurns } = this.#options;
    if (maxTurns !== undefined) this.#host.command({ type: 'configure', maxTurns });
    const staged = this.state.takeStaged();
    if (staged.length > 0) this.steer(staged);
    await this.#takeDecisions();
    this.#host.goOn();
    await this.#rest;
    await this.#wind();
  }

  /** Continues a run that has settled, as a new one that begins where it ended (K5). */
  async continue(outcome: RunOutcome): Promise<void> {
    this.#listen();
    const { scope } = this;
    const base = prepared(scope, scope.agent(outcome.agent), { history: outcome.history, input: [] });
    const { generated, turns, carried: turn, unsaved } = outcome;
    const carried = { generated, turns, turn, unsaved, pendingInput: [...outcome.undelivered, ...this.state.takeStaged()] };
    const continued: PreparedRun = { ...base, blocking: [], parallel: [], server: outcome.server ?? base.server, carried };
    await this.#host.start({ path: scope.runId, agent: outcome.agent, prepared: continued }, CHART_VERSIONS);
    await this.#rest;
    await this.#wind();
  }

  /** Only feeds what is recorded, so that the state can be looked at. */
  async revive(entries: readonly JournalEntry[]): Promise<void> {
    await this.#host.replay(entries);
    this.#stop();
  }

  softStop(): boolean {
    return this.#host.command({ type: 'softStop' });
  }

  /** Resolves when the run has settled and nothing of it runs any more (J2, J4). */
  async interrupt(): Promise<boolean> {
    const changed = this.#host.interrupt({ keepPartial: this.#options.keepPartial, notice: this.#options.interruptNotice });
    await this.#host.unwound();
    return changed;
  }

  steer(input: PendingInput[]): boolean {
    return this.#host.command({ type: 'steer', input });
  }

  /** A decision with edited arguments is checked before it is recorded (D2). */
  async decide(id: string, decision: Decision): Promise<void> {
    const open = this.#host.openDecisions.find((one) => one.id === id);
    const receipt = this.#host.decide(id, open ? await this.#complete(open, decision) : decision);
    if (receipt === 'stale') throw new StaleStateError(`The call ${id} does not wait any more: it was decided, or the run is over.`);
  }

  async #takeDecisions(): Promise<void> {
    for (const { id, decision } of this.state.takeDecisions()) await this.decide(id, decision);
    for (const open of this.#host.openDecisions) {
      const standing = standingDecision(this.scopeOf(open.id), open);
      if (standing) await this.decide(open.id, standing);
    }
  }

  async #complete(open: OpenDecision, decision: Decision): Promise<Decision> {
    const scope = this.scopeOf(open.id);
    if (decision.decision === 'reject') return { ...decision, message: await rejectionText(scope, open.call, decision.message) };
    const { item } = open.call;
    if (decision.arguments === undefined || item.type !== 'function_call') return decision;
    const tool = await toolOf(scope, scope.agent(open.agent), open.call);
    if (tool.type !== 'function') return decision;
    const edited = { ...item, arguments: decision.arguments };
    const parsed = tool.parseInput(edited.arguments);
    return parsed.ok ? decision : { ...decision, invalid: await argumentsText(scope.runContext, tool, edited, parsed) };
  }

  #listen(): void {
    this.#on(this.#options.signal, () => void this.interrupt());
    this.#on(this.#options.stopSignal, () => this.softStop());
  }

  #on(signal: AbortSignal | undefined, react: () => void): void {
    if (!signal) return;
    const listener = () => react();
    signal.addEventListener('abort', listener, { once: true });
    this.#signals.push(() => signal.removeEventListener('abort', listener));
    if (signal.aborted) queueMicrotask(listener);
  }

  #check(): void {
    if (this.#host.outcome || this.#host.crash || this.#host.isWaiting) this.#wake();
  }

  #stop(): void {
    this.#atRest = { progress: this.progress, openDecisions: this.openDecisions };
    this.#host.stop();
  }

  /** At rest: what waits is kept in mind, and nothing is left running. */
  async #wind(): Promise<void> {
    for (const stop of this.#signals) stop();
    this.#stop();
    await this.#host.unwound();
    for (const scope of this.#effects.scopes) if (scope.computers.size > 0) await disposeComputers(scope);
  }
}

const settledResult = (scope: RunScope, outcome: RunOutcome) =>
  new RunResult(
    new RunState({
      scope,
      outcome,
      journal: NO_JOURNAL,
      entries: [],
      isLive: false,
      progress: { ...outcome, maxTurns: null },
      openDecisions: [],
      scopeOf: () => scope,
      steer: () => false,
      decide: () => Promise.resolve(),
    }),
  );
const NO_JOURNAL = new MemoryJournal();

const toRunContext = (context: unknown): RunContext<any> => (context instanceof RunContext ? (context as RunContext<any>) : new RunContext<any>(context));

/** What was decided outside of the state: for always, or on the context itself. */
function standingDecision(scope: RunScope, { agent, call }: OpenDecision): Decision | undefined {
  const query = { toolName: call.name, callId: call.callId, agentName: scope.agent(agent).name };
  const approved = scope.runContext.isToolApproved(query);
  if (approved === undefined) return undefined;
  if (approved) return { decision: 'approve' };
  return { decision: 'reject', message: scope.runContext.getRejectionMessage(call.name, call.callId, query) };
}

/** A computer that cannot be put away is no reason to lose a run (C10). */
async function disposeComputers(scope: RunScope): Promise<void> {
  for (const { dispose } of scope.computers.values()) {
    try {
      await dispose();
    } catch (error) {
      console.warn('A computer could not be disposed:', error);
    }
  }
  scope.computers.clear();
}
