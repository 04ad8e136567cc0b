/**
 * What watchers see of a run, made from what its charts announce: the numbered lifecycle events, and the stream of the Agents
 * SDK. Made only when somebody watches; the same on replay.
 */
import type { Leaves } from '../machines/compose.ts';
import type { Call, Response } from '../machines/protocol/call.ts';
import type { EffectEvent, LoopEvent } from '../machines/protocol/event.ts';
import type { AgentInputItem, StreamEvent } from '../machines/protocol/item.ts';
import type { RecordedOutcome } from '../machines/protocol/journal.ts';
import { isSameCall, recordOf, recordsOfTurn, resultRecord, suppliedRecord } from '../machines/history.ts';
import { isHarmful } from '../machines/toolCallMemory.ts';
import { Audience, type Present, type Unnumbered, type ViewOptions } from './audience.ts';
import { timed } from './expiry.ts';
import { RunAgentUpdatedStreamEvent, RunItemStreamEvent, RunRawModelStreamEvent } from './events.ts';
import type { StreamEventListener } from './ports.ts';
import type { Announced, ItemStatus, Started } from './runEvents.ts';
import { approvalItemOf } from './runItems.ts';
import type { ProgressListener, RunScope } from './scope.ts';
import { type ViewMemory, ViewParts } from './viewParts.ts';
import { LEFT_OPEN, NAMES, STATUS, beginsStream, detailsOf, lateOutput } from './viewWords.ts';

export type { ViewListener } from './audience.ts';
export type { RunEvent } from './runEvents.ts';

type Beginning = Extract<LoopEvent, { type: 'run.started' | 'agent.started' }> | Started;
type Responded = Extract<EffectEvent, { type: 'turn.responded' }>;
interface SuppliedOutput { finalOutput: unknown; includeInHistory: boolean }
interface Scopes { scopeOf(id: string): RunScope }

export class RunView {
  readonly #audience: Audience;
  #scopes: Scopes | undefined;
  readonly #parts = new ViewParts();
  #early = new Map<string, Beginning>();
  /** Results of bodies left behind that the journal did not take. */
  #unrecorded = 0;

  constructor(options: ViewOptions) {
    this.#audience = new Audience(options);
  }

  follow(present: Present, scopes: Scopes): void {
    this.#audience.follow(present);
    this.#scopes = scopes;
  }

  /** For whoever goes on from here; nothing while something is held back. */
  get memory(): ViewMemory | undefined {
    return this.#audience.isKeptWaiting ? undefined : this.#parts.memory(this.#audience.count);
  }

  recall(memory: ViewMemory): void {
    this.#audience.count = memory.count;
    this.#parts.recall(memory);
  }

  readonly raw: StreamEventListener = (effectId, agent, event) => {
    if (this.#audience.holdsBack) this.#audience.hold(() => this.#raw(effectId, agent, event));
    else this.#raw(effectId, agent, event);
  };

  #raw(effectId: string, agent: string, data: StreamEvent): void {
    const path = this.#audience.hears ? pathOf(effectId) : ''; // not even made when nobody hears: there are many deltas
    const turn = this.#parts.turns.get(path);
    if (turn) {
      turn.deltas += 1;
      this.#audience.tellBetween(effectId, `${turn.number}.${turn.deltas}`, { type: 'delta', path, agent, data });
    }
    this.#audience.deliver(this.#scopes!.scopeOf(effectId), new RunRawModelStreamEvent(data));
  }

  /** How far a body says it has come; what one says that was left behind is not heard (C7, I2). */
  readonly progressed: ProgressListener = (effectId, agent, value) => {
    const path = pathOf(effectId);
    const call = this.#parts.atWork.get(path);
    if (!call) return;
    call.reports += 1;
    this.#audience.tellBetween(effectId, `${call.number}.${call.reports}`, { type: 'tool.progress', id: path, path, agent, value });
  };

  readonly emitted = (event: LoopEvent): void => {
    switch (event.type) {
      case 'run.started':
      case 'agent.started':
        return this.#begin(event);
      case 'turn.cut':
        return this.#cut(event);
      case 'call.ready':
        return this.#readied(event);
      case 'turn.retracted':
        this.#audience.release(false);
        return this.#tell(event);
      case 'call.settled':
        if (event.result || event.failure) this.#settled(event); // what is suspended ends with its turn
        return;
      case 'turn.settled':
        return this.#turnSettled(event);
      case 'approval.requested':
        return this.#announce(timed(event, this.#audience.now));
      case 'run.settled':
        this.#audience.release(event.outcome.failure?.code !== 'outputGuardrail');
        this.#tell(event);
        return this.#parts.forget(event.path);
      default:
        this.#announce(event);
    }
  };

  #announce(event: Announced): void {
    this.#tell(event);
    this.#stream(event);
  }

  begun(src: keyof Leaves, input: any): void { // `any`: each effect has the input of its leaf
    const path = pathOf(input.effectId);
    if (src === 'model' && (input.attempt === 1 || !this.#parts.turns.has(path))) this.#begin({ type: 'turn.started', path, agent: input.agent, turn: input.turn });
    if (src === 'execute' && !input.nested) this.#startTool(path, input.agent, input.call);
    if (src === 'prepare' && input.input.delegatedBy) this.#startTool(pathOf(path), input.input.agent, input.input.delegatedBy);
  }

  #startTool(path: string, agent: string, call: Call): void {
    if (isHarmful(call)) this.#parts.bodies.set(path, agent);
    this.#tell({ type: 'tool.started', id: path, path, agent, call });
    this.#passOn(path);
  }

  ended(src: keyof Leaves, input: any, outcome: RecordedOutcome): void {
    if (outcome.status !== 'ok') return;
    if (src === 'errorHandler') this.#supplied(input, outcome.value as SuppliedOutput | null); // what the leaf of this name answers with
    if (src !== 'model') return;
    const response = outcome.value as Response; // as above
    const event: Responded = { type: 'turn.responded', path: pathOf(input.effectId), agent: input.agent, attempt: input.attempt, response, carried: input.carried !== undefined };
    const mayBeFinal = response.calls.length === 0 && !response.handoff; // text beside a call is not the answer (A2)
    if (!mayBeFinal) this.#audience.release(true);
    this.#audience.hold(() => this.#responded(event), mayBeFinal);
  }

  /** What a body brings that had been left behind: the one thing that may come after the end of the run. What others will not read has no number of its own (I1). */
  late(id: string, outcome: RecordedOutcome, isRecorded: boolean): void {
    if (outcome.status !== 'ok') return;
    const path = pathOf(id);
    const event: Unnumbered = { type: 'tool.late', id: path, path, agent: this.#parts.bodies.get(path) ?? '', output: lateOutput(outcome.value) };
    if (isRecorded) this.#tell(event);
    else this.#audience.tellBetween(id, `${this.#audience.count}.${(this.#unrecorded += 1)}`, event);
  }

  /** In its first step an actor starts its children before it announces itself; watchers see the outer one first. */
  #begin(event: Beginning): void {
    const parent = pathOf(event.path);
    const isOutermost = event.type === 'run.started' && (this.#parts.begun.size === 0 || isOfThread(event.path));
    if (!isOutermost && !this.#parts.begun.has(parent)) {
      this.#early.set(parent, event);
      return;
    }
    this.#announce(event);
    this.#passOn(event.path);
  }

  #passOn(path: string): void {
    this.#parts.begun.add(path);
    const inner = this.#early.get(path);
    this.#early.delete(path);
    if (inner) this.#begin(inner);
  }

  #tell(event: Unnumbered): void {
    const number = this.#audience.tell(event);
    if (event.type === 'turn.started') this.#parts.turns.set(event.path, { number, deltas: 0 });
    if (event.type === 'tool.started') this.#parts.atWork.set(event.path, { number, reports: 0 });
  }

  /** Events of the Agents SDK for what is not an item of a response. */
  #stream(event: Announced): void {
    const scope = this.#scopes!.scopeOf(`${event.path}/`);
    if (beginsStream(event, scope)) this.#audience.deliver(scope, new RunAgentUpdatedStreamEvent(scope.agent(scope.rootKey)));
    if (event.type === 'approval.requested') this.#audience.deliver(scope, new RunItemStreamEvent('tool_approval_requested', approvalItemOf(scope, event)));
    if (event.type === 'compaction.completed') this.#audience.item(scope, 'compaction_item_created', event.record);
    if (event.type !== 'handoff.occurred') return;
    for (const record of event.records) this.#audience.item(scope, 'handoff_occurred', record);
    this.#audience.deliver(scope, new RunAgentUpdatedStreamEvent(scope.agent(event.target)));
  }

  #responded({ path, agent, attempt, response, carried }: Responded): void {
    const scope = this.#scopes!.scopeOf(`${path}/`);
    const open = this.#parts.openIn(path);
    const ready = this.#parts.ready.get(path);
    let calls = 0;
    for (const [at, record] of recordsOfTurn(agent, response, {}).entries()) {
      const item = record.rawItem;
      const next = response.calls[calls]; // calls stand in the order of their items
      const call = next && isSameCall(item, next.item) ? next : undefined;
      if (call) calls += 1;
      if (call && ready?.has(call.index)) continue;
      const id = call ? `${path}/toolCall.${attempt}.${call.index}` : `${path}/item.${attempt}.${at}`;
      this.#tell({ type: 'item.started', id, path, agent, item });
      if (call) open.set(id, { agent, item });
      else this.#tell({ type: 'item.completed', id, path, agent, status: 'completed', item });
      const name = NAMES[record.type];
      if (name && !carried) this.#audience.item(scope, name, record);
    }
  }

  /** A call is told of when its item is complete, before its tool runs (I3). */
  #readied({ path, agent, id, call }: Extract<LoopEvent, { type: 'call.ready' }>): void {
    const item = call.item as AgentInputItem; // as the model gave it
    this.#tell({ type: 'item.started', id, path, agent, item });
    this.#parts.openIn(path).set(id, { agent, item });
    this.#parts.ready.set(path, (this.#parts.ready.get(path) ?? new Set()).add(call.index));
    this.#audience.item(this.#scopes!.scopeOf(`${path}/`), 'tool_called', { type: 'tool_call_item', rawItem: item, agent });
  }

  /** A final output that the app supplied stands in the history like one of the model (K3). */
  #supplied({ effectId, agent }: { effectId: string; agent: string }, supplied: SuppliedOutput | null): void {
    if (!supplied?.includeInHistory) return;
    const path = pathOf(effectId);
    const record = suppliedRecord(agent, supplied.finalOutput);
    const item = record.rawItem;
    this.#audience.hold(() => {
      this.#tell({ type: 'item.started', id: effectId, path, agent, item });
      this.#tell({ type: 'item.completed', id: effectId, path, agent, status: 'completed', item });
      this.#audience.item(this.#scopes!.scopeOf(effectId), 'message_output_created', record);
    });
  }

  /** What of an answer was complete when it was cut stands; text that was not does so as a message that was cut short (J2, L2). */
  #cut({ path, agent, item, at }: Extract<LoopEvent, { type: 'turn.cut' }>): void {
    const id = at === 0 ? `${path}/item.cut` : `${path}/item.cut.${at}`;
    const status = 'status' in item && item.status === 'incomplete' ? 'incomplete' : 'completed';
    const record = recordOf(agent, item);
    const name = NAMES[record.type];
    this.#audience.hold(() => {
      this.#tell({ type: 'item.started', id, path, agent, item });
      this.#tell({ type: 'item.completed', id, path, agent, status, item });
      if (name) this.#audience.item(this.#scopes!.scopeOf(`${path}/`), name, record);
    });
  }

  #settled({ path, agent, result, failure }: Extract<LoopEvent, { type: 'call.settled' }>): void {
    const turn = path.slice(0, path.lastIndexOf('/'));
    this.#parts.open.get(turn)?.delete(path);
    this.#parts.atWork.delete(path);
    if (result?.status === 'completed' && !result.mayHaveCompleted) this.#parts.bodies.delete(path);
    const status: ItemStatus = result ? STATUS[result.status] : 'failed';
    this.#tell({ type: 'item.completed', id: path, path, agent, status, item: result?.item ?? null, ...detailsOf(result ?? {}) });
    if (result && !failure) this.#audience.item(this.#scopes!.scopeOf(`${path}/`), 'tool_output', resultRecord(agent, result));
  }

  #turnSettled(event: Extract<LoopEvent, { type: 'turn.settled' }>): void {
    if (event.next !== 'final') this.#audience.release(true);
    this.#audience.hold(() => {
      this.#close(event.path, LEFT_OPEN[event.next] ?? 'suspended');
      this.#parts.turns.delete(event.path);
      this.#parts.ready.delete(event.path);
      this.#tell(event);
    }, event.next === 'final');
  }

  /** A turn that ends while a call waits takes with it the run inside that call, which has no end of its own: inner items first. */
  #close(turn: string, status: ItemStatus): void {
    for (const [path, items] of [...this.#parts.open].reverse()) {
      if (path !== turn && !path.startsWith(`${turn}/`)) continue;
      for (const [id, { agent, item }] of items) this.#tell({ type: 'item.completed', id, path, agent, status, item });
      this.#parts.open.delete(path);
    }
  }
}

/** Runs of a thread lie side by side. */
const isOfThread = (path: string) => /\/(run|background)\.\d+$/.test(path);
/** An effect belongs to the actor whose path it carries on. */
const pathOf = (effectId: string) => effectId.slice(0, effectId.lastIndexOf('/'));
