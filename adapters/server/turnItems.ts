/** Items of the turn that is going, as clients hear of them: each is started, grows, and is completed once. */
import type { ItemStatus } from '../../actors/runEvents.ts';
import type { ThreadEvent } from '../../actors/thread/types.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { ItemOrigin } from '../../machines/protocol/outcome.ts';
import type { Wait } from './asks.ts';
import { CallItems } from './callItems.ts';
import type { CurrentTurn } from './currentTurn.ts';
import type { Notification, WireItem } from './shapes.ts';
import { StreamedItems } from './streamedItems.ts';
import { clientIdOf } from './toInput.ts';
import { messageItem, noticeItem, userItem, wholeItem } from './toItem.ts';
import { turnErrorOf } from './turnError.ts';

type Event<Type extends ThreadEvent['type']> = Extract<ThreadEvent, { type: Type }>;
/** Origins stand by the items; none is the user's. */
interface Given { ids: readonly string[]; items: readonly AgentInputItem[]; at: number; origins?: readonly ItemOrigin[] }
interface Options { threadId: string; cwd: string; tell: (notification: Notification) => void }

export class TurnItems {
  readonly #options: Options;
  readonly #calls: CallItems;
  readonly #streams: StreamedItems;
  #compactions = 0;
  #compaction: WireItem | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#calls = new CallItems(options.cwd);
    this.#streams = new StreamedItems(options.threadId, options.tell);
  }

  take(turn: CurrentTurn, event: ThreadEvent): void {
    switch (event.type) {
      case 'delta':
        return this.#streams.piece(turn, event.path, event.data, event.at);
      case 'item.started':
        if (isCallPath(event.id)) this.#calls.know(event.id, event.agent, event.item);
        return;
      case 'tool.started':
        this.#calls.know(event.path, event.agent, event.call.item);
        return this.#begin(turn, event.path, event.at);
      case 'tool.progress':
        return this.#progressed(turn, event);
      case 'item.completed':
        return isCallPath(event.id) ? this.#callEnded(turn, event) : this.#completed(turn, event);
      case 'turn.retrying':
        this.#options.tell({ method: 'error', params: { error: turnErrorOf(event.failure), willRetry: true, threadId: this.#options.threadId, turnId: turn.id } });
        return this.#streams.again(turn, event.path, event.at, event.kept);
      case 'turn.retracted':
        return this.#streams.again(turn, event.path, event.at, event.kept);
      case 'compaction.started':
        return this.#shortening(turn, event);
      case 'compaction.completed':
      case 'turn.started':
        return this.#shortened(turn, event.at); // one that failed leaves the conversation as it was, and a turn follows
      case 'turn.settled':
        return this.#streams.takeBack(turn, event.at, event.path);
      default:
        return;
    }
  }

  /** What the model is given: of a person, by mail, or by the runtime. */
  given(turn: CurrentTurn, { ids, items, at, origins = [] }: Given): void {
    for (const [index, given] of items.entries()) {
      const id = ids[Math.min(index, ids.length - 1)] ?? 'input';
      const place = `${turn.id}/${id}${index === 0 ? '' : `.${index}`}`;
      const origin = origins[index];
      const item = typeof origin === 'object' ? noticeItem(place, origin.runtime, given) : userItem(place, clientIdOf(id), given);
      if (item) this.#whole(turn, item, at);
    }
  }

  #shortening(turn: CurrentTurn, { path, at }: Event<'compaction.started'>): void {
    this.#compactions += 1;
    this.#compaction = { type: 'contextCompaction', id: `${path}/compaction.${this.#compactions}` };
    this.start(turn, this.#compaction, at);
  }

  #shortened(turn: CurrentTurn, at: number): void {
    if (this.#compaction) this.complete(turn, this.#compaction, at);
    this.#compaction = undefined;
  }

  #whole(turn: CurrentTurn, item: WireItem, at: number): void {
    this.start(turn, item, at);
    this.complete(turn, item, at);
  }

  #completed(turn: CurrentTurn, { id, agent, item, path, at }: Event<'item.completed'>): void {
    if (!item) return;
    const whole = wholeItem({ id, agent, cwd: this.#options.cwd }, item, isInner(turn, path));
    if (!whole) return;
    const settled = this.#streams.settled(path, whole);
    if (!settled.wasOpen) this.start(turn, settled.item, at);
    this.complete(turn, settled.item, at);
  }

  #begin(turn: CurrentTurn, id: string, at: number): void {
    const item = this.#calls.start(id, at);
    if (item) this.start(turn, item, at);
  }

  #callEnded(turn: CurrentTurn, { id, agent, status, item, error, at }: Event<'item.completed'>): void {
    if (item) this.#calls.know(id, agent, item);
    this.#begin(turn, id, at);
    const ended = this.#calls.end(id, { status: CALL_STATUS[status], result: item, at, ...(error && { error }) });
    if (ended) this.complete(turn, ended, at);
  }

  #progressed(turn: CurrentTurn, { id, value }: Event<'tool.progress'>): void {
    const { tell, threadId } = this.#options;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const place = { threadId, turnId: turn.id, itemId: id };
    if (this.#calls.kindOf(id) === 'commandExecution') tell({ method: 'item/commandExecution/outputDelta', params: { ...place, delta: text } });
    else tell({ method: 'item/mcpToolCall/progress', params: { ...place, message: text } });
  }

  start(turn: CurrentTurn, item: WireItem, at: number): void {
    turn.items.set(item.id, item);
    this.#options.tell({ method: 'item/started', params: { item: item.type === 'agentMessage' ? messageItem(item.id, '', item.phase) : item, threadId: this.#options.threadId, turnId: turn.id, startedAtMs: at } });
  }

  complete(turn: CurrentTurn, item: WireItem, at: number): void {
    turn.items.set(item.id, item);
    this.#options.tell({ method: 'item/completed', params: { item, threadId: this.#options.threadId, turnId: turn.id, completedAtMs: at } });
  }

  /** A call that waits has begun. */
  startCall(turn: CurrentTurn, { itemId, agent, item, at }: Wait): void {
    this.#calls.know(itemId, agent, item);
    this.#begin(turn, itemId, at);
  }

  /** The next ending of a call is told as a failure: its approval was not understood. */
  failCall(id: string): void {
    this.#calls.fail(id);
  }

  /** None is left open where the charts keep their word (I2). */
  end(turn: CurrentTurn, at: number): void {
    this.#streams.takeBack(turn, at);
    this.#shortened(turn, at);
    for (const item of this.#calls.open()) this.complete(turn, { ...item, status: 'failed' }, at);
  }
}

const CALL_STATUS: Readonly<Record<ItemStatus, 'completed' | 'failed' | 'declined'>> = { completed: 'completed', failed: 'failed', declined: 'declined', aborted: 'failed', incomplete: 'failed', suspended: 'failed' };
const isCallPath = (id: string) => /\/toolCall\.[\d.]+$/.test(id);
/** A run inside of a call has a path of its own. */
const isInner = ({ id }: CurrentTurn, path: string) => path.slice(id.length).includes('/run/');
