/** One live run: agents, host and effects put together, from its input or its state to rest. */
import { CHART_VERSIONS } from '../machines/versions.ts';
import { wellFormed } from '../machines/history.ts';
import type { Call } from '../machines/protocol/call.ts';
import type { Command, Decision, InterruptReason, PendingInput } from '../machines/protocol/command.ts';
import type { AgentInputItem } from '../machines/protocol/item.ts';
import type { JournalEntry } from '../machines/protocol/journal.ts';
import type { RunInput, RunOutcome } from '../machines/protocol/outcome.ts';
import { systemClock } from './clock.ts';
import { Checkpoints } from './checkpoints.ts';
import { Deciding } from './deciding.ts';
import { Effects } from './effects/index.ts';
import { before, continued, prepared, saidAnew } from './effects/session.ts';
import { disposeComputers } from './effects/hands.ts';
import { checkedAnswers } from './effects/questions.ts';
import type { ExecutionOptions, ExecutionOrigin } from './executionOptions.ts';
import { UserError } from './errors.ts';
import { Host, type OpenDecision } from './host.ts';
import type { Journal } from './journal.ts';
import { MemoryJournal } from './memoryJournal.ts';
import { toItems } from './input.ts';
import type { Clock } from './ports.ts';
import { type Progress, progressOf, savesToSession } from './progress.ts';
import { RunContext } from './runContext.ts';
import { runDataOf } from './runData.ts';
import { RunView } from './runView.ts';
import { type RunSource, RunState, type SteerWay } from './runState.ts';
import { settledResult } from './settledResult.ts';
import type { AnswerCheck } from './said.ts';
import { Signals } from './signals.ts';
import { type AnyRunOptions, RunScope, agentHasListeners } from './scope.ts';

export type { ExecutionOptions, ExecutionOrigin } from './executionOptions.ts';

export class Execution implements RunSource {
  readonly state: RunState<any, any>;
  readonly scope: RunScope;
  readonly #host: Host;
  readonly #effects: Effects;
  readonly #options: AnyRunOptions;
  readonly #clock: Clock;
  readonly #checkpoints: Checkpoints;
  /** The newest checkpoint, as its journal keeps it: for whoever goes on from here. */
  #kept: string | undefined;
  #wake: () => void = () => undefined;
  #ended: Promise<void> = Promise.resolve();
  /** What there was to see when the run came to rest; before that, its actors know. */
  #atRest: { progress: Progress; openDecisions: OpenDecision[] } | undefined;
  readonly #signals = new Signals();
  #home: Journal | undefined;
  readonly #deciding: Deciding;

  /** @param from nothing for a fresh run. */
  constructor({ agent, config, options, hooks, stream, retryByDefault, onStream, pace }: ExecutionOptions, from: ExecutionOrigin = {}) {
    this.#options = options;
    this.#clock = options.clock ?? config.clock ?? systemClock;
    const causes = new Map<string, unknown>();
    const listens = onStream !== undefined || options.onEvent !== undefined || agentHasListeners(agent);
    const view = listens ? new RunView({ onStream, onEvent: options.onEvent, bufferUntilGuarded: options.bufferUntilGuarded }) : undefined;
    this.scope = new RunScope({
      runId: from.runId ?? options.runId ?? `run_${globalThis.crypto.randomUUID()}`,
      agent,
      config,
      options,
      runContext: from.runContext ?? toRunContext(options.context),
      hooks,
      stream,
      retryByDefault,
      causes,
      onRaw: view?.raw,
      onProgress: view?.progressed,
      pace,
      runData: (scope) => (scope === this.scope ? { ...this.state.look(), state: this.state } : runDataOf(scope, this.#host.snapshot, this.scope.runId)),
    });
    for (const agent of from.agents ?? []) this.scope.keyOf(agent);
    this.scope.ledger.open(this.scope.option('budget'));
    this.#effects = new Effects(this.scope, settledResult);
    const journal = options.journal ?? config.journal ?? from.journal;
    this.#host = new Host({
      runId: this.scope.runId,
      threadId: options.threadId ?? from.threadId,
      journal: journal ?? new MemoryJournal(),
      clock: this.#clock,
      effects: this.#effects,
      causes,
      onRest: () => this.#check(),
      onEvent: view?.emitted,
      watcher: view,
      inspect: options.inspect,
      maxConcurrency: this.scope.option('toolExecution')?.maxFunctionToolConcurrency ?? undefined,
      graceMs: this.scope.option('graceMs'),
    });
    this.#kept = from.checkpoint;
    this.#checkpoints = new Checkpoints({ runId: this.scope.runId, before: from.checkpoints, every: options.checkpointEvery ?? config.checkpointEvery ?? (journal ? undefined : Infinity), isWatched: listens || options.inspect !== undefined });
    view?.follow(this.#host, this.#effects);
    this.state = from.state ?? new RunState(this);
    this.state.follow(this);
    this.#deciding = new Deciding({ host: this.#host, clock: this.#clock, state: this.state, scopeOf: (id) => this.scopeOf(id), interruption: () => this.#interruption() });
  }

  get origin(): ExecutionOrigin {
    const [start] = this.entries;
    const threadId = start?.type === 'run.start' ? start.threadId : undefined;
    return { runId: this.scope.runId, threadId, journal: this.#home ?? this.#host.journal, agents: this.scope.agents, checkpoint: this.#kept, checkpoints: this.#checkpoints };
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
    const runInput: RunInput = { path: this.scope.runId, agent: this.scope.rootKey, ...(typeof input === 'string' && !this.#options.session && { isText: true }) };
    const agent = this.scope.agent(this.scope.rootKey);
    if (this.#options.session) runInput.given = given;
    else runInput.prepared = prepared(this.scope, agent, { history: wellFormed(given), input: given });
    await this.#play(() => this.#begin(runInput));
  }

  /** Goes on with a run that waits: the same run, fed the same entries. */
  async resume(entries: readonly JournalEntry[]): Promise<void> {
    await this.#play(() => this.#host.goOn(), () => this.#catchUp(entries));
  }

  /** Writes that a run is over whose process died before that was written. */
  async close(entries: readonly JournalEntry[]): Promise<void> {
    await this.#play(() => this.#host.goOn(), () => this.#checkpoints.replay(this.#host, entries, this.#kept));
  }

  async #catchUp(entries: readonly JournalEntry[]): Promise<void> {
    await this.#checkpoints.replay(this.#host, entries, this.#kept);
    for (const [id, effect] of this.#host.effects.entries()) await this.#effects.checkFits(effect.src, effect.input, this.state.hasDecision(id));
    const { stopSignal, session } = this.#options;
    if (!session && savesToSession(this.#host.snapshot)) throw new UserError('This run saves to a session. Pass the session again, as the option `session`, to go on with it.');
    const said = saidAnew(this.scope);
    if (said) this.#host.command(said);
    for (const { path, input } of this.state.takeStaged()) this.steer(input, { path });
    await this.#deciding.takeAll();
    if (stopSignal?.aborted) this.softStop();
    for (const command of this.#saidBefore()) this.#host.command(command);
  }

  /**
   * Continues a run that has settled, as a new one that begins where it ended (K5).
   * @param maxTurns the limit of that run, which stands unless another is given (B1).
   */
  async continue(outcome: RunOutcome, maxTurns: number | null): Promise<void> {
    const going = continued(this.scope, outcome, this.state.takeStaged().flatMap(({ input }) => input));
    if (this.#options.maxTurns === undefined) going.maxTurns = maxTurns;
    await this.#play(() => this.#begin({ path: this.scope.runId, agent: outcome.agent, prepared: going, before: before(this.scope) }));
  }

  /**
   * Only feeds what is recorded, so that the state can be looked at.
   * @param home where the entries are from, when that is a journal: the run goes on there.
   */
  async revive(entries: readonly JournalEntry[], home?: Journal): Promise<void> {
    this.#home = home;
    await this.#checkpoints.replay(this.#host, entries, this.#kept);
    this.#stop();
    await this.#host.writer.release();
  }

  softStop(): boolean {
    return this.#tell({ type: 'softStop' });
  }

  /** Shortens the conversation at the next safe point (N1). */
  compact(): boolean {
    return this.#tell({ type: 'compact' });
  }

  /** Resolves when the run has settled and nothing of it runs any more (J2, J4). */
  async interrupt(reason: InterruptReason = 'user'): Promise<boolean> {
    const changed = this.#host.interrupt({ reason, keepPartial: this.#options.keepPartial, notice: this.#options.interruptNotice, expectedRunId: this.scope.runId });
    await this.#ended;
    return changed === 'accepted';
  }

  steer(input: PendingInput[], { path, mode = this.scope.option('steerMode') }: SteerWay = {}): boolean {
    return this.#tell({ type: 'steer', input, ...(path !== undefined && { path }), ...(mode === 'instant' && { mode }) });
  }

  mail(input: PendingInput[]): boolean {
    return this.#tell({ type: 'mail', input });
  }

  standing(id: string): 'open' | 'stale' | 'unknown' {
    return this.#deciding.standing(id, this.#atRest?.openDecisions);
  }

  readonly checkAnswers: AnswerCheck = (item, call, answers) => void checkedAnswers(this.scopeOf(item.id), item.agent, call, answers);

  callOf(id: string): Call | undefined {
    return this.#deciding.callOf(id, this.#atRest?.openDecisions);
  }

  decide(id: string, decision: Decision, interrupts = false): Promise<void> {
    return this.#deciding.decide(id, decision, interrupts);
  }

  /** To be told when a rule was added to the approval policy: it holds for what waits, too (M8). */
  reconsider(): Promise<void> {
    return this.#deciding.reconsider();
  }

  #listen(): void {
    this.#signals.on(this.#options.signal, () => void this.interrupt());
    this.#signals.on(this.#options.stopSignal, () => this.softStop());
  }

  /** A handle's commands are for its own run (P5). */
  #tell(command: Command): boolean {
    return this.#host.command(command, this.scope.runId) === 'accepted';
  }

  #begin(input: RunInput): Promise<void> {
    const { limits } = this.scope.ledger;
    const start = { ...input, ...(this.#options.stopSignal?.aborted && { softStop: true }), ...(limits && { budget: limits }) };
    return this.#host.start(start, CHART_VERSIONS, ...this.#saidBefore());
  }

  /** A signal that had fired before the run began, or a deadline that was over, interrupts it before any effect (J3, O6). */
  readonly #saidBefore = (): Command[] => (this.#options.signal?.aborted ? [this.#interruption()] : (this.#untilDeadline() ?? 1) > 0 ? [] : [this.#interruption('deadline')]);
  readonly #interruption = (reason: InterruptReason = 'user'): Command => ({ type: 'interrupt', reason, at: 0, notice: this.#options.interruptNotice ?? true });
  readonly #untilDeadline = () => this.scope.ledger.untilDeadline(this.#clock.now());

  /** From the first effect to rest; however it ends, nothing is left running and nobody is listened to. */
  #play(go: () => Promise<void> | void, prepare?: () => Promise<void>): Promise<void> {
    const played = this.#playToRest(go, prepare);
    this.#ended = played.catch(() => undefined); // whoever started the run hears why
    return played;
  }

  async #playToRest(go: () => Promise<void> | void, prepare?: () => Promise<void>): Promise<void> {
    this.#listen();
    try {
      await prepare?.();
      const rest = this.#untilRest();
      await go();
      this.#signals.after(this.#clock, this.#untilDeadline(), () => void this.interrupt('deadline'));
      await rest;
    } finally {
      await this.#wind();
    }
  }

  /** A run that waits comes to rest after each thing it is told; only when all has been said does that count. */
  #untilRest(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  #check(): void {
    if (this.#host.outcome || this.#host.crash || this.#host.value === 'awaitingApproval') this.#wake();
  }

  #stop(): void {
    this.#atRest = { progress: this.progress, openDecisions: this.openDecisions };
    this.#checkpoints.hold(this.#host);
    this.#host.stop();
  }

  /** At rest: what waits is kept in mind, and nothing is left running. */
  async #wind(): Promise<void> {
    this.#signals.close();
    this.#kept = (await this.#checkpoints.keep(this.#host)) ?? this.#kept;
    this.#stop();
    await this.#host.effects.unwound();
    for (const scope of this.#effects.scopes) if (scope.computers.size > 0) await disposeComputers(scope);
    await this.#host.writer.release();
  }
}

const toRunContext = (context: unknown): RunContext<any> => (context instanceof RunContext ? (context as RunContext<any>) : new RunContext<any>(context));
