/** The actor of a run: the charts, bound to their host, and what they announce. */
import { type Actor, type InspectionEvent, createActor } from 'xstate';
import type { Command } from '../machines/protocol/command.ts';
import type { LoopEvent } from '../machines/protocol/event.ts';
import type { RunInput, RunOutcome } from '../machines/protocol/outcome.ts';
import type { runMachine } from '../machines/run.ts';
import type { KeptActor } from './checkpoint.ts';
import { type LeafHost, bindHost, hostedRun } from './leaf.ts';

export interface RunActorOptions {
  /** What the run is started with; it began elsewhere when there is a snapshot. */
  input: RunInput;
  snapshot?: KeptActor;
  host: LeafHost;
  inspect?: (event: InspectionEvent) => void;
  onEvent?: (event: LoopEvent) => void;
  onOutcome: (outcome: RunOutcome | null) => void;
  /** A bug in a chart, or in code that an effect brought in. */
  onError: (error: unknown) => void;
}

export class RunActor {
  readonly #actor: Actor<typeof runMachine>;

  /** Made and not begun: what it asks for in its first step is asked of a host that knows it. */
  constructor({ input, snapshot, host, inspect, onEvent, onOutcome, onError }: RunActorOptions) {
    const observe = (event: InspectionEvent) => {
      inspect?.(event);
      if (event.type !== '@xstate.action' || event.action.type !== 'xstate.emit') return;
      const { event: emitted } = event.action.params as { event: LoopEvent }; // XState leaves the parameters of its own actions untyped
      onEvent?.(emitted);
    };
    this.#actor = createActor(hostedRun, { input, snapshot: snapshot as never, inspect: inspect || onEvent ? observe : undefined }); // as `kept` gave it
    bindHost(this.#actor.system, host);
    this.#actor.subscribe({ complete: () => onOutcome(this.#actor.getSnapshot().output ?? null), error: onError });
  }

  start(): void {
    this.#actor.start();
  }

  tell(command: Command): void {
    this.#actor.send(command);
  }

  stop(): void {
    this.#actor.stop();
  }

  /** The actor and all its children as data. Only at rest, while it is not stopped. */
  get kept(): KeptActor {
    return this.#actor.getPersistedSnapshot() as unknown as KeptActor; // XState does not type what it keeps of children
  }

  /** The newest snapshot of the run chart; kept when the actors are stopped. */
  get snapshot(): unknown {
    return this.#actor.getSnapshot();
  }

  /** The state of the run chart, as XState gives it. */
  get value(): unknown {
    return this.#actor.getSnapshot().value;
  }
}
