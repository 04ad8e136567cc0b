/** The actor at the root: the charts of a run or a thread, bound to their host, and what they announce. */
import { type AnyActor, type InspectionEvent, createActor } from 'xstate';
import type { Command } from '../machines/protocol/command.ts';
import type { LoopEvent } from '../machines/protocol/event.ts';
import type { RunInput } from '../machines/protocol/outcome.ts';
import type { ThreadCommand, ThreadInput } from '../machines/protocol/thread.ts';
import type { KeptActor } from './checkpoint.ts';
import { type LeafHost, bindHost } from './leaf.ts';
import type { Rest, RootChart, RootSnapshot } from './rootChart.ts';

export interface RootActorOptions {
  chart: RootChart;
  /** What it is started with; it began elsewhere when there is a snapshot. */
  input: RunInput | ThreadInput;
  snapshot?: KeptActor;
  host: LeafHost;
  inspect?: (event: InspectionEvent) => void;
  onEvent?: (event: LoopEvent) => void;
  /** What the chart ends with. */
  onOutcome: (outcome: unknown) => void;
  /** A bug in a chart, or in code that an effect brought in. */
  onError: (error: unknown) => void;
}

export class RootActor {
  readonly #actor: AnyActor;
  readonly #chart: RootChart;

  /** Made and not begun: what it asks for in its first step is asked of a host that knows it. */
  constructor({ chart, input, snapshot, host, inspect, onEvent, onOutcome, onError }: RootActorOptions) {
    const observe = (event: InspectionEvent) => {
      inspect?.(event);
      if (event.type !== '@xstate.action' || event.action.type !== 'xstate.emit') return;
      const { event: emitted } = event.action.params as { event: LoopEvent }; // XState leaves the parameters of its own actions untyped
      onEvent?.(emitted);
    };
    this.#chart = chart;
    this.#actor = createActor(chart.logic, { input, snapshot: snapshot as never, inspect: inspect || onEvent ? observe : undefined }); // as `kept` gave it
    bindHost(this.#actor.system, host);
    this.#actor.subscribe({ complete: () => onOutcome(this.#actor.getSnapshot().output ?? null), error: onError });
  }

  start(): void {
    this.#actor.start();
  }

  tell(command: Command | ThreadCommand): void {
    this.#actor.send(command);
  }

  stop(): void {
    this.#actor.stop();
  }

  /** The actor and all its children as data. Only at rest, while it is not stopped. */
  get kept(): KeptActor {
    return this.#actor.getPersistedSnapshot() as unknown as KeptActor; // XState does not type what it keeps of children
  }

  /** The newest snapshot of the chart; kept when the actors are stopped. */
  get snapshot(): RootSnapshot {
    return this.#actor.getSnapshot() as RootSnapshot; // charts have all three
  }

  get rest(): Rest | undefined {
    return this.#chart.restOf(this.snapshot);
  }

  /** The state of the chart, as XState gives it. */
  get value(): unknown {
    return this.snapshot.value;
  }
}
