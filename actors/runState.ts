/** A run as a value: everything that came into it, so that it can be looked at, saved, decided about and resumed. */
import type { Decision, PendingInput } from '../machines/protocol/command.ts';
import type { AgentInputItem, AgentOutputItem } from '../machines/protocol/item.ts';
import type { JournalEntry } from '../machines/protocol/journal.ts';
import { isOfUser } from '../machines/pendingInput.ts';
import { withoutReasoningIds } from './reasoningIds.ts';
import { StaleStateError, UserError } from './errors.ts';
import type { InputGuardrailResult } from './guardrail.ts';
import { toItems } from './input.ts';
import type { RunToolApprovalItem } from './items.ts';
import { reviving } from './loadedOnUse.ts';
import type { Progress } from './progress.ts';
import type { RunContext } from './runContext.ts';
import { approvalItemOf, runItemOf } from './runItems.ts';
import type { AnyAgent, RunLook, RunSource, SteerWay } from './runSource.ts';
import { type ApproveOptions, type Asked, type RejectOptions, answerSaid, approvalSaid, holdsOnce, rejectionSaid, resultSaid } from './said.ts';
import { type SavedState, type StagedDecision, type StagedInput, type StateRecord, savedStateOf } from './savedState.ts';
import type { Usage } from './usage.ts';

export type { RunLook, RunSource, SteerWay } from './runSource.ts';

/**
 * The state of a run. Save it with `toString()`, read it with `fromString()`, decide about waiting calls, and go on with
 * `run(agent, state)`. A run that had settled is continued: after a failure from the last recorded effect (K5).
 *
 * @example
 * ```ts
 * import { Agent, RunState, run } from 'loopchart';
 *
 * const agent = new Agent({ name: 'Support' });
 * const result = await run(agent, 'Refund order 7.');
 * const saved = result.state.toString();
 * // later, perhaps in another process
 * const state = await RunState.fromString(agent, saved);
 * for (const call of state.getInterruptions()) state.approve(call);
 * const { finalOutput } = await run(agent, state);
 * ```
 */
export class RunState<TContext = unknown, TAgent extends AnyAgent = AnyAgent> {
  #source: RunSource;
  #decisions: StagedDecision[] = [];
  #staged: StagedInput[] = [];

  /** @internal Made by `run()` and `RunState.fromString()`. */
  constructor(source: RunSource) {
    this.#source = source;
  }

  /**
   * Reads a saved state.
   * @throws UserError when the text is no state, is of a newer format, or does not belong to this agent.
   */
  static async fromString<TContext, TAgent extends AnyAgent>(initialAgent: TAgent, text: string): Promise<RunState<TContext, TAgent>> {
    const { reviveState } = await reviving();
    return reviveState<TContext, TAgent>(initialAgent, text);
  }

  /** Like `fromString`, with the context given: for contexts that do not survive JSON. `merge` (default) adds what was saved. */
  static async fromStringWithContext<TContext, TAgent extends AnyAgent>(
    initialAgent: TAgent,
    text: string,
    context: RunContext<TContext>,
    options: { contextStrategy?: 'merge' | 'replace' } = {},
  ): Promise<RunState<TContext, TAgent>> {
    const { reviveState } = await reviving();
    return reviveState<TContext, TAgent>(initialAgent, text, { context, merges: options.contextStrategy !== 'replace' });
  }

  get runId(): string {
    return this.#source.scope.runId;
  }

  get runContext(): RunContext<TContext> {
    return this.#source.scope.runContext;
  }

  get usage(): Usage {
    return this.runContext.usage;
  }

  get currentAgent(): TAgent {
    const { scope, progress } = this.#source;
    return scope.agent(progress.agent || scope.rootKey) as TAgent; // one of the agents that this run leads to
  }

  /** The conversation as the model reads it. */
  get history(): AgentInputItem[] {
    return withoutReasoningIds(this.#source.scope, this.#source.progress.history);
  }

  /** Input that waits for the run to go on. */
  get pendingInput(): AgentInputItem[] {
    return this.#staged.map(({ item }) => item);
  }

  /**
   * Adds a message for the model. While the run is going it joins at the next safe point; else when it goes on (L6). Input guardrails look
   * at it first: one that trips drops it, or fails the run that goes on with it (E6).
   * @param options.path the nested run that it is for, as events and interruptions show it; else it is for the run itself (L7).
   * @param options.mode `instant` cuts the answer that is on its way: what is complete of it stands, and the model is asked again, with the message (L2).
   * @throws UserError for no input, or when nothing is at work at the path.
   */
  addInput(input: string | AgentInputItem[], { path, mode }: SteerWay = {}): void {
    const items = toItems(input).map((item): PendingInput => ({ id: globalThis.crypto.randomUUID(), item }));
    if (items.length === 0 || input === '') throw new UserError('addInput() needs text or items.');
    if (this.#source.isLive && this.#source.steer(items, { path, mode })) return;
    if (path !== undefined && !this.#source.openDecisions.some(({ id }) => id.startsWith(`${path}/`))) throw new UserError(`Nothing is at work at ${path}. Take the path from an event or an interruption of this run.`);
    this.#staged.push(...items.map((one) => (path === undefined ? one : { ...one, path })));
  }

  /**
   * Input that was added and never reached the model. After a stop it joins the next run from this state; any other end gives
   * it back: add it again if it still matters (P2).
   */
  get undelivered(): AgentInputItem[] {
    return (this.#source.outcome?.undelivered ?? []).filter(isOfUser).map(({ item }) => item); // mail goes back to where it came from, and notices are the runtime's own
  }

  clearPendingInput(): void {
    this.#staged = [];
  }

  /** The calls that wait for a person, at any depth of nested agents. */
  getInterruptions(): RunToolApprovalItem[] {
    return this.#source.openDecisions.map((open) => approvalItemOf(this.#source.scopeOf(open.id), open));
  }

  /**
   * Lets a call run; with `arguments`, as the person changed them. Takes effect at once while the run is going, else when it
   * goes on; until then a later decision about the same call takes the place of an earlier one (D2, D4).
   * @throws StaleStateError when the call does not wait any more, UserError when it never was one of this run, when it asks a
   *   question, or when arguments are given for one that is `uncertain`: that runs again as it began, and for this once.
   */
  approve(item: RunToolApprovalItem, options: ApproveOptions = {}): void {
    const decision = approvalSaid(this.#asked(item), options);
    this.#mustWait(item);
    if (!holdsOnce(item)) this.#source.scopeOf(item.id).runContext.approveTool(item, { alwaysApprove: options.alwaysApprove });
    this.#decide(item.id, decision);
  }

  /**
   * Refuses a call; the model reads `message`. A question is declined so. With `interrupt` the run ends there: both or neither take
   * effect (D2).
   * @throws As `approve`.
   */
  reject(item: RunToolApprovalItem, options: RejectOptions = {}): void {
    const decision = rejectionSaid(this.#asked(item), options);
    this.#mustWait(item);
    if (!holdsOnce(item)) this.#source.scopeOf(item.id).runContext.rejectTool(item, options);
    this.#decide(item.id, decision, options.interrupt);
  }

  /**
   * Answers the questions of a call (D8), by their ids: what its tool makes of the answers is its result.
   * @throws As `approve`; UserError for a call that asks nothing, and naming the question whose answer is missing or does not fit its
   *   schema. Then nothing is changed, and the call still waits.
   */
  answer(item: RunToolApprovalItem, answers: Record<string, unknown>): void {
    this.#mustWait(item);
    this.#decide(item.id, answerSaid(this.#asked(item), answers));
  }

  /**
   * Says what a call brought that is `uncertain`: its process ended while the body was at work, and somebody has looked (O3). The
   * output is treated as if the body had returned it. The other ways out are `approve`, which runs the body again, and `reject`.
   * @throws As `approve`; UserError for a call that is not uncertain.
   */
  useResult(item: RunToolApprovalItem, output: unknown): void {
    this.#mustWait(item);
    this.#decide(item.id, resultSaid(this.#asked(item), output));
  }

  toJSON(): SavedState {
    const { scope, entries } = this.#source;
    return savedStateOf({ runId: this.runId, agent: scope.rootKey, context: this.runContext.context, entries, decisions: this.#decisions, staged: this.#staged });
  }

  toString(): string {
    return JSON.stringify(this);
  }

  /** @internal */
  get source(): RunSource {
    return this.#source;
  }

  /** @internal From now on the state shows this run. */
  follow(source: RunSource): void {
    this.#source = source;
  }

  /** @internal */
  restore({ decisions, staged }: Pick<StateRecord, 'decisions' | 'staged'>): void {
    this.#decisions.push(...decisions);
    this.#staged.push(...staged);
  }

  /** @internal In the order in which it was added; each part is for one run, nested or not. */
  takeStaged(): { input: PendingInput[]; path?: string }[] {
    const parts: { input: PendingInput[]; path?: string }[] = [];
    for (const { path, ...one } of this.#staged.splice(0)) {
      const last = parts.at(-1);
      const input: PendingInput = { ...one, staged: true };
      if (last && last.path === path) last.input.push(input);
      else parts.push({ input: [input], path });
    }
    return parts;
  }

  /** @internal */
  hasDecision(id: string): boolean {
    return this.#decisions.some((decision) => decision.id === id);
  }

  /** @internal */
  takeDecisions(): StagedDecision[] {
    return this.#decisions.splice(0);
  }

  /** @internal Each part is made when it is asked for. */
  look(): RunLook<TAgent> {
    const { scope, entries, outcome } = this.#source;
    const source = this.#source;
    const state = this;
    return {
      get input() { return scope.originalInput ?? inputOf(entries); },
      get newItems() { return [...source.progress.generated.map((record) => runItemOf(scope, record)), ...state.getInterruptions()]; },
      get history() { return withoutReasoningIds(source.scope, source.progress.history); },
      get output() { return source.progress.generated.map((record) => record.rawItem) as AgentOutputItem[]; }, // what agents generate, in the peer's word for it
      rawResponses: scope.rawResponses,
      get lastAgent() { return state.currentAgent; },
      get inputGuardrailResults() { return [...source.progress.inputGuardrails.map(toGuardrailResult), ...scope.inputGuardrailResults]; },
      outputGuardrailResults: scope.outputGuardrailResults,
      toolInputGuardrailResults: scope.toolInputGuardrailResults,
      toolOutputGuardrailResults: scope.toolOutputGuardrailResults,
      finalOutput: outcome?.output,
    };
  }

  #decide(id: string, decision: Decision, interrupts?: boolean): void {
    if (this.#source.isLive) void this.#source.decide(id, decision, interrupts);
    else this.#decisions = [...this.#decisions.filter((other) => other.id !== id), { id, decision, interrupts }];
  }

  #asked(item: RunToolApprovalItem): Asked {
    return { item, call: this.#source.callOf(item.id), check: this.#source.checkAnswers };
  }

  #mustWait({ id, name }: RunToolApprovalItem): void {
    const standing = this.#source.standing(id);
    if (standing === 'stale') throw new StaleStateError(`The call ${id} does not wait any more: it was decided, or the run is over. Nothing was changed.`);
    if (standing === 'unknown') throw new UserError(`No call ${id} (${name}) waits in this run. Decide about the items of its own interruptions.`);
  }
}

const toGuardrailResult = ({ name, tripwireTriggered, outputInfo }: Progress['inputGuardrails'][number]): InputGuardrailResult => ({
  guardrail: { type: 'input', name },
  output: { tripwireTriggered, outputInfo },
});

function inputOf([start]: readonly JournalEntry[]): AgentInputItem[] {
  return start?.type === 'run.start' ? (start.input.given ?? start.input.prepared?.input ?? []) : [];
}
