/**
 * What watchers see of a run, made from what its charts announce: the numbered lifecycle events, and the stream of the Agents
 * SDK. Made only when somebody watches; the same on replay.
 */
import type { Call } from '../machines/protocol/call.ts';
import type { LoopEvent } from '../machines/protocol/event.ts';
import type { AgentInputItem, StreamEvent } from '../machines/protocol/item.ts';
import type { ItemRecord, TurnNext } from '../machines/protocol/outcome.ts';
import { recordsOfTurn, resultRecord } from '../machines/history.ts';
import { type RunItemStreamEventName, type RunStreamEvent, RunAgentUpdatedStreamEvent, RunItemStreamEvent, RunRawModelStreamEvent } from './events.ts';
import type { StreamEventListener } from './ports.ts';
import { approvalItemOf, runItemOf } from './runItems.ts';
import type { RunScope } from './scope.ts';

type ItemStatus = 'completed' | 'failed' | 'declined' | 'aborted' | 'incomplete' | 'suspended';
type Beginning = Extract<LoopEvent, { type: 'run.started' | 'agent.started' | 'turn.started' }>;
type Announced = Exclude<LoopEvent, { type: 'turn.responded' | 'call.settled' | 'call.started' }>;

/** What happens inside a run. Numbers are the same when the run is replayed; deltas are not replayed (I1). */
export type RunEvent = { number: number | string; at: number; cause: string } & (
  | Announced
  | { type: 'item.started'; id: string; path: string; agent: string; item: AgentInputItem }
  | { type: 'item.completed'; id: string; path: string; agent: string; status: ItemStatus; item: AgentInputItem | null; display?: unknown }
  | { type: 'tool.started'; id: string; path: string; agent: string; call: Call }
  | { type: 'delta'; path: string; agent: string; data: StreamEvent }
);
type Unnumbered = RunEvent extends infer Event ? (Event extends unknown ? Omit<Event, 'number' | 'at' | 'cause'> : never) : never;

export type ViewListener = (event: RunStreamEvent) => void;
interface ViewOptions { onStream?: ViewListener; onEvent?: (event: RunEvent) => void; bufferUntilGuarded?: boolean }
interface Present { readonly now: number; readonly cause: string }
interface Scopes { scopeOf(id: string): RunScope }

export class RunView {
  readonly #options: ViewOptions;
  #present: Present = { now: 0, cause: '' };
  #scopes: Scopes | undefined;
  #count = 0;
  /** Number of the turn and of its last delta, by the path of the turn. */
  #turns = new Map<string, { number: number; deltas: number }>();
  /** Calls that have begun and not ended, by the path of their turn (I2). */
  #open = new Map<string, Map<string, { agent: string; item: AgentInputItem }>>();
  #begun = new Set<string>();
  #early = new Map<string, Beginning>();
  /** Text that is held back until output guardrails have passed it (E3). */
  #held: (() => void)[] = [];

  constructor(options: ViewOptions) {
    this.#options = options;
  }

  follow(present: Present, scopes: Scopes): void {
    this.#present = present;
    this.#scopes = scopes;
  }

  readonly raw: StreamEventListener = (effectId, agent, event) => {
    const path = effectId.slice(0, effectId.lastIndexOf('/'));
    const scope = this.#scopes!.scopeOf(effectId);
    const tell = () => {
      const turn = this.#turns.get(path);
      if (turn && this.#options.onEvent) {
        turn.deltas += 1;
        this.#options.onEvent({ number: `${turn.number}.${turn.deltas}`, at: this.#present.now, cause: effectId, type: 'delta', path, agent, data: event });
      }
      this.#deliver(scope, new RunRawModelStreamEvent(event));
    };
    if (this.#options.bufferUntilGuarded) this.#held.push(tell);
    else tell();
  };

  readonly emitted = (event: LoopEvent): void => {
    switch (event.type) {
      case 'run.started':
      case 'agent.started':
      case 'turn.started':
        return this.#begin(event);
      case 'turn.responded':
        return this.#hold(() => this.#responded(event));
      case 'call.started':
        return this.#tell({ type: 'tool.started', id: event.path, path: event.path, agent: event.agent, call: event.call });
      case 'call.settled':
        return this.#settled(event);
      case 'turn.settled':
        return this.#turnSettled(event);
      case 'run.settled':
        this.#release(event.outcome.failure?.code !== 'outputGuardrail');
        return this.#tell(event);
      default:
        this.#tell(event);
        this.#stream(event);
    }
  };

  /** In its first step an actor starts its children before it announces itself; watchers see the outer one first. */
  #begin(event: Beginning): void {
    const parent = event.path.slice(0, event.path.lastIndexOf('/'));
    if (event.type !== 'run.started' && !this.#begun.has(parent)) {
      this.#early.set(parent, event);
      return;
    }
    this.#begun.add(event.path);
    this.#tell(event);
    this.#stream(event);
    const inner = this.#early.get(event.path);
    this.#early.delete(event.path);
    if (inner) this.#begin(inner);
  }

  #tell(event: Unnumbered): void {
    this.#count += 1;
    if (event.type === 'turn.started') this.#turns.set(event.path, { number: this.#count, deltas: 0 });
    this.#options.onEvent?.({ number: this.#count, at: this.#present.now, cause: this.#present.cause, ...event } as RunEvent); // one of the union, with its number
  }

  /** Events of the Agents SDK for what is not an item of a response. */
  #stream(event: Announced): void {
    const scope = this.#scopes!.scopeOf(`${event.path}/`);
    if (event.type === 'run.started') this.#deliver(scope, new RunAgentUpdatedStreamEvent(scope.agent(scope.rootKey)));
    if (event.type === 'approval.requested') {
      const item = approvalItemOf(scope, { id: event.id, path: event.path, agent: event.agent, call: event.call });
      this.#deliver(scope, new RunItemStreamEvent('tool_approval_requested', item));
    }
    if (event.type !== 'handoff.occurred') return;
    for (const record of event.records) this.#item(scope, 'handoff_occurred', record);
    this.#deliver(scope, new RunAgentUpdatedStreamEvent(scope.agent(event.target)));
  }

  #responded({ path, agent, attempt, response, carried }: Extract<LoopEvent, { type: 'turn.responded' }>): void {
    const scope = this.#scopes!.scopeOf(`${path}/`);
    const calls = new Map(response.calls.map((call) => [call.item as AgentInputItem, `${path}/toolCall.${attempt}.${call.index}`]));
    const open = new Map<string, { agent: string; item: AgentInputItem }>();
    this.#open.set(path, open);
    for (const [at, record] of recordsOfTurn(agent, response, {}).entries()) {
      const item = record.rawItem;
      const call = calls.get(item);
      const id = call ?? `${path}/item.${attempt}.${at}`;
      this.#tell({ type: 'item.started', id, path, agent, item });
      if (call) open.set(id, { agent, item });
      else this.#tell({ type: 'item.completed', id, path, agent, status: isCut(item) ? 'incomplete' : 'completed', item });
      const name = NAMES[record.type];
      if (name && !carried) this.#item(scope, name, record);
    }
  }

  #settled({ path, agent, result, failure }: Extract<LoopEvent, { type: 'call.settled' }>): void {
    const turn = path.slice(0, path.lastIndexOf('/'));
    this.#open.get(turn)?.delete(path);
    const status: ItemStatus = result ? STATUS[result.status] : 'failed';
    this.#tell({ type: 'item.completed', id: path, path, agent, status, item: result?.item ?? null, ...(result?.display === undefined ? {} : { display: result.display }) });
    if (result && !failure) this.#item(this.#scopes!.scopeOf(`${path}/`), 'tool_output', resultRecord(agent, result));
  }

  #turnSettled(event: Extract<LoopEvent, { type: 'turn.settled' }>): void {
    if (event.next !== 'final') this.#release(true);
    this.#hold(() => {
      const status = LEFT_OPEN[event.next] ?? 'suspended';
      for (const [id, { agent, item }] of this.#open.get(event.path) ?? []) this.#tell({ type: 'item.completed', id, path: event.path, agent, status, item });
      this.#open.delete(event.path);
      this.#turns.delete(event.path);
      this.#tell(event);
    }, event.next === 'final');
  }

  #hold(tell: () => void, waits = true): void {
    if (this.#options.bufferUntilGuarded && waits) this.#held.push(tell);
    else tell();
  }

  #release(passes: boolean): void {
    const held = this.#held.splice(0);
    if (passes) for (const tell of held) tell();
  }

  #item(scope: RunScope, name: RunItemStreamEventName, record: ItemRecord): void {
    if (scope.deliver ?? this.#options.onStream) this.#deliver(scope, new RunItemStreamEvent(name, runItemOf(scope, record)));
  }

  /** Nested runs have their own listeners; their events are not those of the run around them. */
  #deliver(scope: RunScope, event: RunStreamEvent): void {
    if (scope.isNested) scope.deliver?.(event);
    else this.#options.onStream?.(event);
  }
}

const NAMES: Partial<Record<ItemRecord['type'], RunItemStreamEventName>> = {
  message_output_item: 'message_output_created',
  reasoning_item: 'reasoning_item_created',
  tool_call_item: 'tool_called',
  tool_call_output_item: 'tool_output',
  handoff_call_item: 'handoff_requested',
  tool_search_call_item: 'tool_search_called',
  tool_search_output_item: 'tool_search_output_created',
  compaction_item: 'compaction_item_created',
};
const STATUS = { completed: 'completed', failed: 'failed', rejected: 'declined', aborted: 'aborted', skipped: 'declined' } as const;
const LEFT_OPEN: Partial<Record<TurnNext, ItemStatus>> = { interrupted: 'aborted', failed: 'failed', suspended: 'suspended' };
const isCut = (item: AgentInputItem) => 'role' in item && item.role === 'assistant' && item.status === 'incomplete';
