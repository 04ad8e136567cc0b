/** Effects in the hands of a host, so that they are journalled and resumed. `plainLeaves` are for apps that run the charts without one. */
import type { ActorLogic, AnyActorRef } from 'xstate';
import type { Leaves } from '../machines/compose.ts';
import { compose } from '../machines/compose.ts';
import type { ItemReady } from '../machines/protocol/command.ts';

/** Executes what leaves ask for and feeds the outcome back. */
export interface LeafHost {
  register(actor: AnyActorRef, src: keyof Leaves, input: { effectId: string }): void;
  abandon(effectId: string): void;
}

const hosts = new WeakMap<object, LeafHost>();

/** Leaves find their host by the system they are in, so that charts are composed once for all runs. */
export function bindHost(system: object, host: LeafHost): void {
  hosts.set(system, host);
}

interface LeafSnapshot {
  status: 'active' | 'done' | 'error' | 'stopped';
  output: unknown;
  error: unknown;
  input: { effectId: string } | undefined;
}
type LeafEvent = { type: 'effect.done'; outcome: unknown } | { type: 'effect.failed'; error: unknown } | ItemReady | { type: 'xstate.stop' };

/** A leaf that does nothing itself: it tells the host that it is wanted, and ends when the host says so. */
function hostedLeaf(src: keyof Leaves): ActorLogic<any, LeafEvent, { effectId: string }, any, any> {
  return {
    config: { id: src },
    getInitialSnapshot: (_scope: unknown, input: { effectId: string }): LeafSnapshot => ({ status: 'active', output: undefined, error: undefined, input }),
    transition(snapshot: LeafSnapshot, event: LeafEvent, { self, system, defer }: { self: AnyActorRef; system: object; defer: (tell: () => void) => void }): LeafSnapshot {
      switch (event.type) {
        case 'effect.done':
          return { status: 'done', output: event.outcome, error: undefined, input: undefined };
        case 'effect.failed':
          return { status: 'error', output: undefined, error: event.error, input: undefined };
        case 'item.ready':
          defer(() => self._parent?.send(event)); // when this step is done: its parent may stop it
          return snapshot;
        case 'xstate.stop':
          hosts.get(system)?.abandon(snapshot.input!.effectId);
          return { ...snapshot, status: 'stopped' };
        default:
          return snapshot;
      }
    },
    start(snapshot: LeafSnapshot, { self, system }: { self: AnyActorRef; system: object }) {
      if (snapshot.status !== 'active') return;
      const host = hosts.get(system);
      if (!host) throw new Error(`The effect "${src}" has no host. Start hosted charts through run(), or provide plain leaves.`);
      host.register(self, src, snapshot.input!);
    },
    getPersistedSnapshot: (snapshot: LeafSnapshot) => snapshot,
    restoreSnapshot: (snapshot: LeafSnapshot) => snapshot,
  } as unknown as ActorLogic<any, LeafEvent, { effectId: string }, any, any>; // XState types `config` away; inspectors read it
}

const LEAF_NAMES: Record<keyof Leaves, true> = {
  prepare: true, inputGuardrail: true, model: true, timer: true, approvalPolicy: true, toolGuardrail: true, execute: true, reconcile: true, person: true,
  conclude: true, outputGuardrail: true, errorHandler: true, session: true, agentEnd: true, inputScreen: true, stopHook: true, handoffFilter: true, runError: true,
  compactor: true, goal: true, report: true,
};
const leafNames = Object.keys(LEAF_NAMES) as (keyof Leaves)[];

/** Every effect in the hands of a host. */
export const hostedLeaves = Object.fromEntries(leafNames.map((name) => [name, hostedLeaf(name)])) as unknown as Leaves; // a hosted leaf ends like a promise

/** The charts of a run over them. Composed once per process. */
export const hostedRun = compose(hostedLeaves);
