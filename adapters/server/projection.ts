/**
 * One thread as clients of the protocol see it: made from its lifecycle events, in their order. What is guaranteed: one `turn/started` a
 * turn; an item is started before its deltas and before it is completed; it is completed once, before its turn is.
 */
import type { ItemStatus } from '../../actors/runEvents.ts';
import type { ThreadEvent, ThreadLook } from '../../actors/thread/types.ts';
import type { UsageData } from '../../machines/protocol/item.ts';
import type { RunOutcome } from '../../machines/protocol/outcome.ts';
import type { Wait } from './asks.ts';
import { CallItems } from './callItems.ts';
import { GoalView } from './goalView.ts';
import { StreamedItems } from './streamedItems.ts';
import type { ActiveFlag, Notification, WireItem, WireStatus, WireTurn } from './shapes.ts';
import { messageItem, userItem, wholeItem } from './toItem.ts';
import { clientIdOf } from './toInput.ts';
import { turnErrorOf } from './turnError.ts';
import { type CurrentTurn, beginTurn, shownTurn } from './currentTurn.ts';
import { countsOf, differenceOf } from './tokenCounts.ts';

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
  #compaction: { item: WireItem; isOwnTurn: boolean } | undefined;
  #total = countsOf({});
  #isPresent = false;
  #awaited: ((turn: WireTurn) => void)[] = [];
  readonly #calls: CallItems;
  readonly #streams: StreamedItems;

  constructor(options: ProjectionOptions) {
    this.#options = options;
    const { threadId, cwd, audience } = options;
    this.#calls = new CallItems(cwd);
    this.#streams = new StreamedItems(threadId, audience.tell);
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

  take(event: ThreadEvent): void {
    switch (event.type) {
      case 'thread.changed':
        return this.#changed(event);
      case 'input.accepted':
        this.#begin(event.path, event.at);
        return this.#given(event.ids, event.items, event.at);
      case 'input.delivered':
        return this.#isOfTurn(event.path) ? this.#given(event.ids, event.items, event.at) : undefined;
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
      case 'tool.late':
        return this.#warn(`A call that was left behind has ended: ${event.path}`);
      default:
        if (this.#turn && this.#isOfTurn(event.path)) this.#inTurn(this.#turn, event);
    }
  }

  /** The next ending of a call is told as a failure: its approval was not understood. */
  failCall(itemId: string): void {
    this.#calls.fail(itemId);
  }

  #inTurn(turn: CurrentTurn, event: ThreadEvent): void {
    switch (event.type) {
      case 'delta':
        return this.#streams.piece(turn, event.path, event.data, event.at);
      case 'item.started':
        if (isCallPath(event.id)) this.#calls.know(event.id, event.agent, event.item);
        return;
      case 'tool.started':
        this.#calls.know(event.path, event.agent, event.call.item);
        return this.#startCall(turn, event.path, event.at);
      case 'tool.progress':
        return this.#progressed(turn, event);
      case 'item.completed':
        return isCallPath(event.id) ? this.#callEnded(turn, event) : this.#completed(turn, event);
      case 'turn.retrying':
        this.#options.audience.tell({ method: 'error', params: { error: turnErrorOf(event.failure), willRetry: true, threadId: this.#options.threadId, turnId: turn.id } });
        return this.#streams.again(turn, event.path, event.at, event.kept);
      case 'turn.settled':
        this.#streams.takeBack(turn, event.at, event.path);
        return this.#tellUsage(turn);
      default:
        return;
    }
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

  #settled({ outcome, at }: Event<'run.settled'>): void {
    const turn = this.#turn!; // it is of the turn that is going
    for (const [id, wait] of this.#waiting) {
      this.#waiting.delete(id);
      if (wait) this.#options.audience.resolved(id);
    }
    this.#streams.takeBack(turn, at);
    this.#endTurn(turn, ENDED[outcome.status], at, outcome.status === 'failed' ? outcome.failure : undefined);
  }

  #endTurn(turn: CurrentTurn, status: 'completed' | 'failed' | 'interrupted', at: number, failure?: RunOutcome['failure']): void {
    const { audience, threadId } = this.#options;
    for (const item of this.#calls.open()) this.#complete(turn, { ...item, status: 'failed' }, at); // none is left where the charts keep their word (I2)
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
    this.#state = state;
    if (phase === 'compacting' && !this.#compaction) this.#compacting(runId, at);
    if (phase !== 'compacting' && this.#compaction) this.#compacted(at);
    this.#tellStatus();
  }

  /** A compaction that was asked for while nothing went on is a turn of its own. */
  #compacting(runId: string | undefined, at: number): void {
    this.#compactions += 1;
    const id = `${this.#options.threadId}/compaction.${this.#compactions}`;
    const isOwnTurn = this.#turn === undefined && runId === undefined;
    if (isOwnTurn) this.#begin(id, at);
    const item: WireItem = { type: 'contextCompaction', id: `${id}/item` };
    this.#compaction = { item, isOwnTurn };
    if (this.#turn) this.#start(this.#turn, item, at);
  }

  #compacted(at: number): void {
    const { item, isOwnTurn } = this.#compaction!; // asked just before
    this.#compaction = undefined;
    if (!this.#turn) return;
    this.#complete(this.#turn, item, at);
    if (isOwnTurn) this.#endTurn(this.#turn, 'completed', at);
  }

  // -- items ----------------------------------------------------------------------------------------------------------

  /** What the model is given: of a person, by mail, or by the thread itself. */
  #given(ids: readonly string[], items: readonly Event<'input.delivered'>['items'][number][], at: number): void {
    const turn = this.#turn;
    if (!turn) return;
    for (const [index, given] of items.entries()) {
      const id = ids[Math.min(index, ids.length - 1)] ?? `${turn.id}/input`;
      const item = userItem(`${turn.id}/${id}${index === 0 ? '' : `.${index}`}`, clientIdOf(id), given);
      if (!item) continue;
      this.#start(turn, item, at);
      this.#complete(turn, item, at);
    }
  }

  #completed(turn: CurrentTurn, { id, agent, item, path, at }: Event<'item.completed'>): void {
    if (!item) return;
    const whole = wholeItem({ id, agent, cwd: this.#options.cwd }, item, isInner(turn, path));
    if (!whole) return;
    const settled = this.#streams.settled(path, whole);
    if (!settled.wasOpen) this.#start(turn, settled.item, at);
    this.#complete(turn, settled.item, at);
  }

  #startCall(turn: CurrentTurn, id: string, at: number): void {
    const item = this.#calls.start(id, at);
    if (item) this.#start(turn, item, at);
  }

  #callEnded(turn: CurrentTurn, { id, agent, status, item, error, at }: Event<'item.completed'>): void {
    if (item) this.#calls.know(id, agent, item);
    this.#startCall(turn, id, at);
    const ended = this.#calls.end(id, { status: CALL_STATUS[status], result: item, at, ...(error && { error }) });
    if (ended) this.#complete(turn, ended, at);
  }

  #progressed(turn: CurrentTurn, { id, value }: Event<'tool.progress'>): void {
    const { audience, threadId } = this.#options;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const place = { threadId, turnId: turn.id, itemId: id };
    if (this.#calls.kindOf(id) === 'commandExecution') audience.tell({ method: 'item/commandExecution/outputDelta', params: { ...place, delta: text } });
    else audience.tell({ method: 'item/mcpToolCall/progress', params: { ...place, message: text } });
  }

  #start(turn: CurrentTurn, item: WireItem, at: number): void {
    turn.items.set(item.id, item);
    this.#options.audience.tell({ method: 'item/started', params: { item: item.type === 'agentMessage' ? messageItem(item.id, '', item.phase) : item, threadId: this.#options.threadId, turnId: turn.id, startedAtMs: at } });
  }

  #complete(turn: CurrentTurn, item: WireItem, at: number): void {
    turn.items.set(item.id, item);
    this.#options.audience.tell({ method: 'item/completed', params: { item, threadId: this.#options.threadId, turnId: turn.id, completedAtMs: at } });
  }

  // -- what waits, and where the thread stands ------------------------------------------------------------------------

  #requested({ id, path, agent, call, at, ...details }: Event<'approval.requested'>): void {
    if (!this.#turn || !this.#isOfTurn(path)) return;
    const wait: Wait = { ...details, id, itemId: path, agent, item: call.item, name: call.name, at };
    this.#calls.know(path, agent, call.item);
    this.#waiting.set(id, wait.questions ? 'waitingOnUserInput' : 'waitingOnApproval');
    this.#tellStatus();
    this.#startCall(this.#turn, path, at);
    this.#options.audience.ask(wait, this.#turn.id);
  }

  /** One that waited before this process came. */
  #wait(wait: Wait): void {
    if (!this.#turn) return;
    this.#waiting.set(wait.id, wait.questions ? 'waitingOnUserInput' : 'waitingOnApproval');
    this.#calls.know(wait.itemId, wait.agent, wait.item);
    const item = this.#calls.start(wait.itemId, wait.at);
    if (item) this.#turn.items.set(item.id, item);
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

const CALL_STATUS: Readonly<Record<ItemStatus, 'completed' | 'failed' | 'declined'>> = { completed: 'completed', failed: 'failed', declined: 'declined', aborted: 'failed', incomplete: 'failed', suspended: 'failed' };
const isCallPath = (id: string) => /\/toolCall\.[\d.]+$/.test(id);
/** A run inside of a call has a path of its own. */
const isInner = ({ id }: CurrentTurn, path: string) => path.slice(id.length).includes('/run/');
