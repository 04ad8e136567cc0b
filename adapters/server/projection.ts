/**
 * One thread as clients of the protocol see it: made from its lifecycle events, in their order. What is guaranteed: one `turn/started` a
 * turn; an item is started before its deltas and before it is completed; it is completed once, before its turn is.
 */
import type { ThreadEvent, ThreadLook } from '../../actors/thread/types.ts';
import type { UsageData } from '../../machines/protocol/item.ts';
import type { RunOutcome } from '../../machines/protocol/outcome.ts';
import type { Wait } from './asks.ts';
import { GoalView } from './goalView.ts';
import type { ActiveFlag, Notification, WireItem, WireStatus, WireTurn } from './shapes.ts';
import { turnErrorOf } from './turnError.ts';
import { type CurrentTurn, beginTurn, shownTurn } from './currentTurn.ts';
import { countsOf, differenceOf } from './tokenCounts.ts';
import { TurnItems } from './turnItems.ts';

/** Who hears of it. */
export interface Audience {
  tell(notification: Notification): void;
  ask(wait: Wait, turnId: string): void;
  resolved(id: string): void;
}
export interface ProjectionOptions {
  threadId: string;
  cwd: string;
  audience: Audience;
  /** Asked at the end of each turn of an agent, for what it has cost. */
  usage: () => Partial<UsageData>;
}

type Event<Type extends ThreadEvent['type']> = Extract<ThreadEvent, { type: Type }>;

const ENDED: Readonly<Record<RunOutcome['status'], 'completed' | 'failed' | 'interrupted'>> = { completed: 'completed', failed: 'failed', stopped: 'interrupted', interrupted: 'interrupted' };

export class Projection {
  readonly #options: ProjectionOptions;
  /** Turns that have ended in this process, as they were shown. */
  readonly ended = new Map<string, WireTurn>();
  readonly goals: GoalView;
  #turn: CurrentTurn | undefined;
  #state: ThreadLook['state'] = 'idle';
  #hasFailed = false;
  #status: WireStatus = { type: 'idle' };
  /** For what the calls wait that wait for a person. */
  #waiting = new Map<string, ActiveFlag>();
  #compactions = 0;
  #compaction: { item: WireItem; isOwnTurn: boolean; wasPaused: boolean; failure?: RunOutcome['failure'] } | undefined;
  #total = countsOf({});
  #isPresent = false;
  #awaited: ((turn: WireTurn) => void)[] = [];
  readonly #items: TurnItems;

  constructor(options: ProjectionOptions) {
    this.#options = options;
    const { threadId, cwd, audience } = options;
    this.#items = new TurnItems({ threadId, cwd, tell: audience.tell });
    this.goals = new GoalView(threadId, audience.tell);
  }

  get status(): WireStatus {
    return this.#status;
  }

  /** The turn that is going, with its items so far. */
  get turn(): WireTurn | undefined {
    return this.#turn && shownTurn(this.#turn);
  }

  /** Resolves when the next turn begins. */
  nextTurn(): Promise<WireTurn> {
    return new Promise((resolve) => this.#awaited.push(resolve));
  }

  /** How a thread stands of which not all events were told: it was opened from a checkpoint, or forked. */
  catchUp(look: ThreadLook, items: WireItem[], waits: readonly Wait[], at: number): void {
    this.#state = look.state;
    this.#total = countsOf(look.usage);
    this.#isPresent = true;
    this.#hasFailed = look.runs.at(-1)?.status === 'failed';
    if (look.activeRunId !== undefined && !this.#turn) this.#turn = beginTurn(look.activeRunId, at, items);
    for (const wait of waits) this.#wait(wait);
    this.#status = this.#statusNow();
  }

  /** The thread cannot go on in this process. */
  broke(message: string, at: number): void {
    for (const id of this.#waiting.keys()) this.#options.audience.resolved(id);
    this.#waiting.clear();
    if (this.#turn) this.#endTurn(this.#turn, 'failed', at, { code: 'user', message });
    this.#hasFailed = true;
    this.#state = 'idle';
    this.#tellStatus();
  }

  take(event: ThreadEvent): void {
    switch (event.type) {
      case 'thread.changed':
        return this.#changed(event);
      case 'input.accepted':
        if (event.source) this.#begun(event);
        return; // what joins the run is shown when the model reads it
      case 'input.dropped':
        return this.#warn(`Input was not shown to the model: ${event.guardrail === undefined ? event.reason : `the guardrail ${event.guardrail} tripped on it`}.`);
      case 'input.delivered':
        return this.#isOfTurn(event.path) ? this.#items.given(this.#turn!, event) : undefined; // it is of this turn
      case 'approval.requested':
        return this.#requested(event);
      case 'approval.resolved':
        if (this.#waiting.delete(event.id)) this.#options.audience.resolved(event.id);
        return this.#tellStatus();
      case 'run.settled':
        return this.#isTurn(event.path) ? this.#settled(event) : undefined;
      case 'queue.changed':
        return this.#options.audience.tell({ method: 'thread/queue/changed', params: { threadId: this.#options.threadId } });
      case 'goal.changed':
        return this.goals.changed(event, this.#turn?.id ?? null, this.#total.totalTokens);
      case 'thread.reverted':
        return this.#options.audience.tell({ method: 'thread/reverted', params: { threadId: this.#options.threadId } });
      case 'compaction.failed':
        if (this.#compaction) this.#compaction.failure = event.failure;
        return;
      case 'tool.late':
        return this.#warn(`A call that was left behind has ended: ${event.path}`);
      default:
        if (!this.#turn || !this.#isOfTurn(event.path)) return;
        this.#items.take(this.#turn, event);
        if (event.type === 'turn.settled') this.#tellUsage(this.#turn);
    }
  }

  /** The next ending of a call is told as a failure: its approval was not understood. */
  failCall(itemId: string): void {
    this.#items.failCall(itemId);
  }

  // -- turns ----------------------------------------------------------------------------------------------------------

  #begin(id: string, at: number): void {
    if (this.#turn?.id === id) return;
    this.#turn = beginTurn(id, at);
    this.#hasFailed = false;
    this.#state = 'active';
    this.#tellStatus();
    this.#options.audience.tell({ method: 'turn/started', params: { threadId: this.#options.threadId, turn: { ...shownTurn(this.#turn), items: [], itemsView: 'notLoaded' } } });
    for (const begun of this.#awaited.splice(0)) begun(shownTurn(this.#turn));
  }

  #begun({ path, at, ids, items, origin }: Event<'input.accepted'>): void {
    this.#begin(path, at);
    this.#items.given(this.#turn!, { ids, items, at, ...(origin !== undefined && { origins: items.map(() => origin) }) }); // just begun
  }

  #settled({ outcome, at }: Event<'run.settled'>): void {
    const turn = this.#turn!; // it is of the turn that is going
    for (const id of this.#waiting.keys()) this.#options.audience.resolved(id);
    this.#waiting.clear();
    this.#endTurn(turn, ENDED[outcome.status], at, outcome.status === 'failed' ? outcome.failure : undefined);
  }

  #endTurn(turn: CurrentTurn, status: 'completed' | 'failed' | 'interrupted', at: number, failure?: RunOutcome['failure']): void {
    const { audience, threadId } = this.#options;
    this.#items.end(turn, at);
    turn.status = status;
    turn.endedAt = at;
    if (status === 'failed') {
      turn.error = turnErrorOf(failure);
      this.#hasFailed = true;
      audience.tell({ method: 'error', params: { error: turn.error, willRetry: false, threadId, turnId: turn.id } });
    }
    const shown = shownTurn(turn);
    this.ended.set(turn.id, shown);
    this.#turn = undefined;
    const answer = shown.items.findLast((item) => item.type === 'agentMessage' && item.phase !== 'commentary');
    audience.tell({ method: 'turn/completed', params: { threadId, turn: { ...shown, items: answer ? [answer] : [], itemsView: 'summary' } } });
  }

  #changed({ state, phase, runId, at }: Event<'thread.changed'>): void {
    const wasPaused = this.#state === 'paused';
    this.#state = state;
    if (phase === 'compacting' && !this.#compaction) this.#compacting(runId, wasPaused, at);
    if (phase !== 'compacting' && this.#compaction) this.#compacted(state, at);
    this.#tellStatus();
  }

  /** A compaction that was asked for while nothing went on is a turn of its own. */
  #compacting(runId: string | undefined, wasPaused: boolean, at: number): void {
    this.#compactions += 1;
    const id = `${this.#options.threadId}/compaction.${this.#compactions}`;
    const isOwnTurn = this.#turn === undefined && runId === undefined;
    if (isOwnTurn) this.#begin(id, at);
    const item: WireItem = { type: 'contextCompaction', id: `${id}/item` };
    this.#compaction = { item, isOwnTurn, wasPaused };
    if (this.#turn) this.#items.start(this.#turn, item, at);
  }

  #compacted(state: ThreadLook['state'], at: number): void {
    const { item, isOwnTurn, wasPaused, failure } = this.#compaction!; // asked just before
    this.#compaction = undefined;
    if (!this.#turn) return;
    this.#items.complete(this.#turn, item, at);
    if (isOwnTurn) this.#endTurn(this.#turn, failure ? 'failed' : state === 'paused' && !wasPaused ? 'interrupted' : 'completed', at, failure);
  }

  // -- what waits, and where the thread stands ------------------------------------------------------------------------

  #requested({ id, path, agent, call, at, ...details }: Event<'approval.requested'>): void {
    if (!this.#turn || !this.#isOfTurn(path)) return;
    const wait: Wait = { ...details, id, itemId: path, agent, item: call.item, name: call.name, at };
    this.#waiting.set(id, wait.questions ? 'waitingOnUserInput' : 'waitingOnApproval');
    this.#tellStatus();
    this.#items.startCall(this.#turn, wait);
    this.#options.audience.ask(wait, this.#turn.id);
  }

  /** One that waited before this process came. */
  #wait(wait: Wait): void {
    if (!this.#turn) return;
    this.#waiting.set(wait.id, wait.questions ? 'waitingOnUserInput' : 'waitingOnApproval');
    this.#items.startCall(this.#turn, wait);
    this.#options.audience.ask(wait, this.#turn.id);
  }

  #tellStatus(): void {
    const status = this.#statusNow();
    if (JSON.stringify(status) === JSON.stringify(this.#status)) return;
    this.#status = status;
    this.#options.audience.tell({ method: 'thread/status/changed', params: { threadId: this.#options.threadId, status } });
  }

  #statusNow(): WireStatus {
    if (this.#state === 'active') return { type: 'active', activeFlags: [...new Set(this.#waiting.values())].sort() };
    return { type: this.#hasFailed ? 'systemError' : 'idle' };
  }

  #tellUsage(turn: CurrentTurn): void {
    if (!this.#isPresent) return;
    const total = countsOf(this.#options.usage());
    const last = differenceOf(total, this.#total);
    this.#total = total;
    if (last.totalTokens === 0) return;
    this.#options.audience.tell({ method: 'thread/tokenUsage/updated', params: { threadId: this.#options.threadId, turnId: turn.id, tokenUsage: { total, last, modelContextWindow: null } } });
  }

  #warn(message: string): void {
    this.#options.audience.tell({ method: 'warning', params: { threadId: this.#options.threadId, message } });
  }

  #isTurn(path: string): boolean {
    return path === this.#turn?.id;
  }

  /** Agents that work beside the runs are no part of a turn: their result comes as mail. */
  #isOfTurn(path: string): boolean {
    return this.#turn !== undefined && (path === this.#turn.id || path.startsWith(`${this.#turn.id}/`));
  }
}
