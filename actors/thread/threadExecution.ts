/** One live thread: its host, the scopes of its runs, and what it tells; from its first entry, or from what is recorded, to its release. */
import type { LoopEvent } from '../../machines/protocol/event.ts';
import type { Decision } from '../../machines/protocol/command.ts';
import type { JournalEntry } from '../../machines/protocol/journal.ts';
import type { RunInput } from '../../machines/protocol/outcome.ts';
import type { CommandAnswer, SessionRule, ThreadCommand, ThreadInput } from '../../machines/protocol/thread.ts';
import type { ThreadContext } from '../../machines/threadMemory.ts';
import type { ApprovalRules } from '../approvalRules.ts';
import { Checkpoints } from '../checkpoints.ts';
import { systemClock } from '../clock.ts';
import { completeDecision, standingDecision } from '../effects/approvals.ts';
import { disposeComputers } from '../effects/hands.ts';
import { StaleStateError, UserError } from '../errors.ts';
import { Host, type OpenDecision } from '../host.ts';
import { MemoryJournal } from '../memoryJournal.ts';
import { Runner } from '../run.ts';
import { RunContext } from '../runContext.ts';
import { runDataOf } from '../runData.ts';
import { RunView } from '../runView.ts';
import type { BackgroundStart, RunScope } from '../scope.ts';
import type { Usage } from '../usage.ts';
import { Deadlines } from './deadlines.ts';
import { THREAD, THREAD_VERSIONS } from './hosted.ts';
import type { AnyAgent, ThreadOptions } from './options.ts';
import type { Known } from './inputs.ts';
import { checkedRule, replaceSession, rulesOf } from './rules.ts';
import { reachable, runScope } from './runScope.ts';
import { ThreadEffects } from './threadEffects.ts';
import { Told } from './told.ts';
import type { ThreadEvent } from './types.ts';

/** When a run has ended, in ms since the epoch, and for what it made way. */
export interface RunEnd { at: number; next?: 'thread.run' | 'thread.revert' }

export interface ThreadWatcher {
  /** All that happens, in order; also what is told again while a recorded thread is opened. */
  onEvent(event: ThreadEvent, isReplayed: boolean): void;
  /** A run has ended; its scope is there for the last time. */
  onSettled(event: Extract<LoopEvent, { type: 'run.settled' }>, scope: RunScope, end: RunEnd): void;
  /** What came in has been applied. */
  onRest(): void;
  /** The thread cannot go on: its journal cannot be written, or there is a bug. */
  onCrash(error: unknown): void;
  /** Asked before each turn (I5). */
  pace(signal?: AbortSignal): Promise<void> | undefined;
}

export class ThreadExecution {
  readonly threadId: string;
  readonly host: Host;
  readonly options: ThreadOptions<any>; // `any`: as in the front door's own types
  readonly agent: AnyAgent;
  readonly effects: ThreadEffects;
  readonly #told = new Told();
  readonly #watcher: ThreadWatcher;
  readonly #checkpoints: Checkpoints;
  /** Of what the thread does itself. */
  readonly home: RunScope;
  readonly #answering = new Set<string>();
  readonly #deadlines: Deadlines;
  readonly #rules: ApprovalRules;
  readonly #causes = new Map<string, unknown>();
  #hasSettled = false;
  #released: Promise<void> | undefined;

  constructor(agent: AnyAgent, options: ThreadOptions<any>, watcher: ThreadWatcher) {
    const { runner = new Runner(), journal = runner.config.journal, clock = runner.config.clock ?? systemClock } = options;
    this.threadId = options.threadId ?? `thread_${globalThis.crypto.randomUUID()}`;
    this.options = options;
    this.agent = agent;
    this.#watcher = watcher;
    this.#rules = rulesOf(options.approvalPolicy ?? runner.config.approvalPolicy);
    const view = new RunView({ onEvent: (event) => this.#heard(event), bufferUntilGuarded: options.bufferUntilGuarded });
    const context: unknown = options.context instanceof RunContext ? options.context.context : options.context;
    const hearing = { causes: this.#causes, onRaw: view.raw, onProgress: view.progressed, hooks: runner, config: runner.config, agents: [agent, ...(options.agents ?? [])], runData: (scope: RunScope) => runDataOf(scope, this.host.snapshot, this.threadId), pace: (signal?: AbortSignal) => watcher.pace(signal), rules: this.#rules, startBackground: (start: BackgroundStart) => this.#startBackground(start) };
    this.#deadlines = new Deadlines(clock, (runId) => void this.host.tell({ type: 'thread.interrupt', id: globalThis.crypto.randomUUID(), at: 0, ...(isOfThread(runId) ? { expectedRunId: runId } : { path: runId }), reason: 'deadline' }));
    this.home = runScope({ path: this.threadId, agent: agent.name }, options, context, hearing);
    this.effects = new ThreadEffects({
      threadId: this.threadId,
      scopeFor: (input: RunInput) => runScope(input, options, context, hearing),
      home: this.home,
      isGoalReached: options.isGoalReached,
      now: () => this.host.now,
      onBegun: (scope) => this.#deadlines.begun(scope),
      unwound: () => this.host.effects.unwound(),
    });
    this.host = new Host({
      runId: this.threadId,
      chart: THREAD,
      journal: journal ?? new MemoryJournal(),
      clock,
      effects: this.effects,
      causes: this.#causes,
      onRest: () => this.#rested(),
      onDecided: (id) => this.#told.answered(decisionOn(id), { status: 'accepted' }),
      onEvent: (event) => {
        view.emitted(event);
        if (event.type === 'run.settled') this.#settled(event);
      },
      watcher: view,
      inspect: options.inspect,
      maxConcurrency: options.toolExecution?.maxFunctionToolConcurrency ?? runner.config.toolExecution?.maxFunctionToolConcurrency ?? undefined,
      graceMs: options.graceMs ?? runner.config.graceMs,
    });
    this.#checkpoints = new Checkpoints({ runId: this.threadId, charts: THREAD_VERSIONS, every: options.checkpointEvery ?? runner.config.checkpointEvery ?? (journal ? undefined : Infinity), isWatched: options.inspect !== undefined || options.onEvent !== undefined });
    view.follow(this.host, this.effects);
  }

  get context(): ThreadContext {
    return this.host.snapshot?.context as ThreadContext; // the chart of a thread
  }

  get openDecisions(): OpenDecision[] {
    return this.host.openDecisions;
  }

  get usage(): Usage {
    return this.effects.usage;
  }

  /** What its runs can be told to use (M7). */
  get known(): Known {
    const agents = reachable([this.agent, ...(this.options.agents ?? [])]);
    const tools = [...agents].flatMap((agent) => agent.tools);
    return {
      agents: this.home.agents.map((agent) => this.home.keyOf(agent)),
      tools: [...new Set([...tools, ...(this.options.tools ?? [])].map(({ name }) => name))],
      hasServers: [...agents].some(({ mcpServers }) => mcpServers.length > 0),
    };
  }

  /** @throws UserError for a rule that cannot be. */
  checkedRule(rule: SessionRule): SessionRule {
    return checkedRule(this.#rules, rule);
  }

  keyOf(agent: AnyAgent): string {
    return this.home.keyOf(agent);
  }

  agentOf(key: string): AnyAgent {
    return this.home.agent(key);
  }

  async start(input: Omit<ThreadInput, 'path' | 'agent'>): Promise<void> {
    this.#deadlines.goOn();
    replaceSession(this.#rules, input.rules ?? []);
    await this.host.start({ path: this.threadId, agent: this.home.rootKey, ...input }, THREAD_VERSIONS);
  }

  /**
   * Goes on with a recorded thread: what is recorded is not run again, what was under way is, by its effect class (O1-O3).
   * @param checkpoint as its journal keeps it.
   */
  async open(entries: readonly JournalEntry[], checkpoint?: string): Promise<void> {
    replaceSession(this.#rules, entries[0]?.type === 'thread.start' ? (entries[0].input.rules ?? []) : []);
    await this.#checkpoints.replay(this.host, entries, checkpoint);
    replaceSession(this.#rules, this.context.rules); // also where a checkpoint has told nobody of them
    for (const [, effect] of this.host.effects.entries()) await this.effects.checkFits(effect.src, effect.input, false);
    this.#deadlines.goOn(); // whose time is over is interrupted before anything begins
    this.host.goOn();
    await this.answerByRules();
  }

  /** Only feeds what is recorded, to be looked at; nothing is run or written. */
  async look(entries: readonly JournalEntry[]): Promise<void> {
    await this.host.replay(entries);
  }

  tell(command: ThreadCommand): Promise<CommandAnswer> {
    if (this.host.ending !== null) return Promise.resolve({ status: 'rejected', reason: 'closed' }); // also when it was given back since
    if (this.host.crash) return Promise.reject(this.host.crash.error as Error); // whatever broke it
    if (this.#released) return Promise.reject(new UserError(`Thread ${this.threadId} was given back. Open it again with openThread().`));
    return this.#told.ask(command.id, () => {
      if (this.host.tell(command) === 'over') this.#told.answered(command.id, { status: 'rejected', reason: 'closed' });
    });
  }

  /** Of a run's effects: the call waits, and about what. @throws StaleStateError, UserError for one that does not; what has broken the thread. */
  openCall(id: string): OpenDecision {
    const isOpen = this.host.standing(id) === 'open';
    const open = this.host.openDecisions.find((one) => one.id === id) ?? (isOpen ? this.host.decisions.expected(id) : undefined);
    if (open && isOpen && !this.#answering.has(id)) return open;
    if (open || isOpen || this.#hasBegun(id)) throw this.#tooLate(id);
    throw new UserError(`No call ${id} waits in thread ${this.threadId}. Decide about its own interruptions.`);
  }

  /** A decision with what comes with it in the same step (D2), recorded when it resolves; what a rule now answers too is answered. */
  async decide(id: string, decision: Decision, then: ThreadCommand[] = []): Promise<void> {
    const open = this.openCall(id);
    this.#answering.add(id);
    try {
      const complete = await completeDecision(this.effects.scopeOf(id), open, decision);
      if (this.host.standing(id) !== 'open') throw this.#tooLate(id);
      const { status } = await this.#told.ask(decisionOn(id), () => this.host.decide(id, complete, ...then));
      if (status === 'rejected') throw staleCall(id);
    } finally {
      this.#answering.delete(id);
    }
    if (then.some(({ type }) => type === 'rule.add')) await this.answerByRules();
  }

  /** Calls that wait, and need not. Whoever decides about one meanwhile is heard instead. */
  async answerByRules(): Promise<void> {
    for (const open of this.host.openDecisions) {
      if (this.#answering.has(open.id) || this.host.standing(open.id) !== 'open') continue;
      const standing = standingDecision(this.effects.scopeOf(open.id), open);
      if (standing) await this.decide(open.id, standing).catch(unlessStale);
    }
  }

  /** Resolves when another process may have it. */
  release(): Promise<void> {
    return (this.#released ??= this.#release());
  }

  async #release(): Promise<void> {
    this.#deadlines.clear();
    if (this.host.rest?.state !== 'awaitingApproval') await this.#checkpoints.keep(this.host); // whoever goes on with a run reads its events from its begin
    this.host.stop();
    this.#told.fail(new UserError(`Thread ${this.threadId} was given back. Open it again with openThread().`));
    await this.host.effects.unwound();
    for (const scope of this.effects.scopes) if (scope.computers.size > 0) await disposeComputers(scope);
    await this.host.writer.release();
  }

  /** A call of a thread that is broken may wait still, for those who have the thread by now (O4). */
  #tooLate(id: string): unknown {
    return this.host.crash ? this.host.crash.error : staleCall(id);
  }

  /** The id is of a run that is going or over, or of something in it. */
  #hasBegun(id: string): boolean {
    const run = /^\/run\.(\d+)\//.exec(id.slice(this.threadId.length));
    return id.startsWith(`${this.threadId}/`) && run !== null && Number(run[1]) <= this.context.count;
  }

  /** A call that is carried out again has begun it already. */
  #startBackground(start: BackgroundStart): void {
    if (!this.context.begunBy.includes(start.id)) this.host.tell({ type: 'background.start', at: 0, ...start });
  }

  #heard(event: ThreadEvent): void {
    if (event.type === 'rules.changed') replaceSession(this.#rules, event.rules);
    this.#watcher.onEvent(event, this.host.isReplaying);
    if (event.type === 'command.answered') this.#told.answered(event.id, event.answer);
  }

  #settled(event: Extract<LoopEvent, { type: 'run.settled' }>): void {
    if (event.path.includes('/agent.')) return; // it is nested
    const scope = this.effects.scopeOf(`${event.path}/`); // the thread's own for a run that ended before it had begun
    const { next } = this.context;
    this.#watcher.onSettled(event, scope, { at: this.host.now, ...(next && { next: next.type }) });
    this.#deadlines.ended(event.path);
    this.#hasSettled = true;
    const ended = this.effects.forget(event.path);
    for (const id of this.#causes.keys()) if (!this.effects.isOfLiveRun(id)) this.#causes.delete(id); // also of bodies that ended too late
    if (ended && ended.computers.size > 0) void disposeComputers(ended);
  }

  #rested(): void {
    const { crash } = this.host;
    if (crash) {
      this.#told.fail(crash.error);
      this.#deadlines.clear();
      return this.#watcher.onCrash(crash.error);
    }
    if (this.host.ending !== null) this.#told.answerAll({ status: 'rejected', reason: 'closed' });
    const { rest } = this.host;
    if (rest && rest.state !== 'awaitingApproval') void this.#checkpoints.keep(this.host);
    if (this.#hasSettled) this.host.forget(); // nothing of a run that is over is asked for again
    this.#hasSettled = false;
    this.#watcher.onRest();
  }
}

function unlessStale(error: unknown): void {
  if (!(error instanceof StaleStateError)) throw error;
}

/** Not of an agent that works beside the runs. */
const isOfThread = (runId: string) => /\/run\.\d+$/.test(runId);
const decisionOn = (id: string) => `decision on ${id}`;
const staleCall = (id: string) => new StaleStateError(`The call ${id} does not wait any more: it was decided, or its run is over. Nothing was changed.`);
