import type { AnyActorRef, AnyMachineSnapshot } from 'xstate';
import type { Leaves } from '../../../machines/compose.ts';
import type { Call } from '../../../machines/protocol/call.ts';
import type { Decision } from '../../../machines/protocol/command.ts';
import type { AgentInputItem } from '../../../machines/protocol/item.ts';
import type { JournalEntry, RecordedOutcome } from '../../../machines/protocol/journal.ts';
import type { RunInput } from '../../../machines/protocol/outcome.ts';
import type { ThreadCommand } from '../../../machines/protocol/thread.ts';
import { CHART_VERSIONS } from '../../../machines/versions.ts';
import { Agent } from '../../../actors/agent.ts';
import { type EffectIo, type EffectRunner, Host } from '../../../actors/host.ts';
import { MemoryJournal } from '../../../actors/memoryJournal.ts';
import type { Clock } from '../../../actors/ports.ts';
import type { RootChart } from '../../../actors/rootChart.ts';
import { RunContext } from '../../../actors/runContext.ts';
import { type RunEvent, RunView } from '../../../actors/runView.ts';
import { RunScope } from '../../../actors/scope.ts';
import { hashOf } from '../../support/explore.ts';
import { AT, steerOf } from '../samples.ts';

export const RUN_ID = 'run';

/** What the world is made of: a run, or a thread. */
export interface Root { id: string; chart?: RootChart; start(host: Host): Promise<void> }
export const runOf = (input?: Omit<RunInput, 'path'>): Root => ({ id: RUN_ID, start: (host) => host.start({ path: RUN_ID, agent: 'triage', ...input }, CHART_VERSIONS) });

/** One thing that may come into a run from outside. */
export type Op =
  | { kind: 'end'; id: string; outcome: RecordedOutcome }
  | { kind: 'fire'; id: string }
  | { kind: 'decide'; id: string; decision: Decision }
  | { kind: 'steer' | 'mail'; id: string; mode?: 'instant' }
  /** An item of an answer is complete, and a call that may begin. */
  | { kind: 'item'; id: string; item: AgentInputItem; call?: Call }
  | { kind: 'softStop' }
  | { kind: 'compact' }
  | { kind: 'interrupt' }
  | { kind: 'tell'; command: ThreadCommand }
  /** The process ends with all that is at work, and another one goes on: see `World.after`. */
  | { kind: 'die' };

/** An effect that was begun in this process and whose end is up to the test. */
export interface Begun {
  id: string;
  src: keyof Leaves;
  input: any; // `any`: each effect has the input of its leaf
  signal: AbortSignal;
  isDone: boolean;
}

/** A live run of the production charts and the production host, in which nothing ends until the test says so. */
export class World implements EffectRunner {
  readonly begun: Begun[] = [];
  readonly events: RunEvent[] = [];
  readonly host: Host;
  /** Timers that are armed, by the order in which they were. */
  readonly #timers = new Map<number, () => void>();
  #armed = 0;

  /** @param isWatched whether the events of the run are made, which takes time. */
  constructor(isWatched = false, { id: runId, chart }: Root = runOf()) {
    const view = isWatched ? new RunView({ onEvent: (event) => this.events.push(event) }) : undefined;
    this.host = new Host({
      runId,
      ...(chart && { chart }),
      journal: new MemoryJournal(),
      clock: this.#clock(),
      effects: this,
      causes: new Map(),
      onRest: () => undefined,
      onEvent: view?.emitted,
      watcher: view,
    });
    view?.follow(this.host, { scopeOf: () => scope });
  }

  /** The world as it was when this had happened, with every body still at work that was. */
  static again(entries: readonly JournalEntry[], isWatched = false, root?: Root): Promise<World> {
    const ended = new Set(entries.flatMap((entry) => (entry.type === 'effect.done' || entry.type === 'effect.lost' ? [entry.id] : [])));
    return World.after(entries.filter((entry) => entry.type !== 'effect.started' || ended.has(entry.id)), isWatched, root);
  }

  /** Another process, after all of this has happened in one that is gone. Effects that had begun and not ended begin again, or are lost. */
  static async after(entries: readonly JournalEntry[], isWatched = false, root?: Root): Promise<World> {
    const world = new World(isWatched, root);
    await world.host.replay(entries);
    world.host.goOn();
    return world;
  }

  static begin(input: Omit<RunInput, 'path'>, isWatched = false): Promise<World> {
    return World.from(runOf(input), isWatched);
  }

  static async from(root: Root, isWatched = false): Promise<World> {
    const world = new World(isWatched, root);
    await root.start(world.host);
    return world;
  }

  run(src: keyof Leaves, input: any, { effectId: id, signal, asked }: EffectIo): Promise<RecordedOutcome> {
    if (src === 'model') asked();
    this.begun.push({ id, src, input, signal, isDone: false });
    return new Promise(() => undefined);
  }

  observe(): void {}

  /** What is at work now: begun, not ended, not told to stop. */
  get open(): Begun[] {
    return this.begun.filter(({ isDone, signal }) => !isDone && !signal.aborted);
  }

  get timers(): number[] {
    return [...this.#timers.keys()];
  }

  get isSettled(): boolean {
    return this.host.outcome !== null;
  }

  apply(op: Op): void {
    switch (op.kind) {
      case 'end':
        this.begun.find(({ id, isDone }) => id === op.id && !isDone)!.isDone = true;
        return this.host.dispatch({ type: 'effect.done', id: op.id, outcome: op.outcome });
      case 'fire':
        return this.#timers.get(Number(op.id))!();
      case 'decide':
        this.host.decide(op.id, op.decision);
        return;
      case 'steer':
        this.host.command(op.mode ? { ...steerOf(op.id), mode: op.mode } : steerOf(op.id));
        return;
      case 'item':
        return this.host.dispatch({ type: 'effect.item', id: op.id, item: op.item, ...(op.call && { call: op.call }) });
      case 'mail':
        this.host.command({ ...steerOf(op.id), type: 'mail' });
        return;
      case 'softStop':
        this.host.command({ type: 'softStop' });
        return;
      case 'compact':
        this.host.command({ type: 'compact' });
        return;
      case 'interrupt':
        this.host.interrupt();
        return;
      case 'tell':
        this.host.tell(op.command);
        return;
      case 'die':
        throw new Error('What comes after a death is another world.');
    }
  }

  /** The same for worlds in which the same may happen from now on: the tree of actors, whatever order led to it. */
  get key(): string {
    return hashOf({ tree: treeOf(this.host.snapshot as AnyMachineSnapshot), crash: this.host.crash !== null });
  }

  stop(): void {
    this.host.stop();
  }

  #clock(): Clock {
    return {
      now: () => AT,
      setTimeout: (callback) => {
        const handle = (this.#armed += 1);
        this.#timers.set(handle, () => {
          this.#timers.delete(handle);
          callback();
        });
        return handle;
      },
      clearTimeout: (handle) => void this.#timers.delete(handle as number),
    };
  }
}

/** Charts and leaves by name, each with what it knows; no ids that differ between processes. */
function treeOf(snapshot: AnyMachineSnapshot): unknown {
  if (!snapshot.machine) return { status: snapshot.status };
  const children = Object.entries(snapshot.children as Record<string, AnyActorRef>).map(([id, child]) => [id, treeOf(child.getSnapshot() as AnyMachineSnapshot)]);
  return { status: snapshot.status, value: snapshot.value, context: snapshot.context, children: Object.fromEntries(children) };
}

/** What a view asks about the agents of the run; nothing in it changes. */
const scope = new RunScope({
  runId: RUN_ID,
  agent: new Agent({ name: 'triage', handoffs: [new Agent({ name: 'expert' }), new Agent({ name: 'helper' })] }),
  config: {},
  options: {},
  runContext: new RunContext(),
  stream: false,
  causes: new Map(),
});
