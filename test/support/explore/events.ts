import type { AnyEventObject, AnyMachineSnapshot } from 'xstate';
import type { Leaf } from './inert.ts';

/** Outputs that a leaf may end with: a list, or a function of the leaf when they depend on what it was given. */
export type Outputs = readonly unknown[] | ((leaf: Leaf) => readonly unknown[]);

/**
 * The ways in which each waiting leaf may end, one event an output. Keys are the slots of the chart; a leaf whose slot is not
 * named here is an error, because a forgotten leaf would silently hide everything that follows it.
 *
 * @example
 * completions(leaves, { model: [{ status: 'ok', value: 'hi' }], execute: ({ input }) => [{ status: 'ok', value: input }] })
 */
export function completions(leaves: readonly Leaf[], outputs: Record<string, Outputs>): AnyEventObject[] {
  return leaves.flatMap((leaf) => {
    const known = outputs[leaf.src];
    if (!known) throw new Error(`No outputs given for the leaf "${leaf.id}" of slot "${leaf.src}". Name the slot, with [] if it never ends.`);
    return (typeof known === 'function' ? known(leaf) : known).map((output) => doneEvent(leaf.id, output));
  });
}

/** A bug in each waiting leaf: not trouble that it reports, an error that it did not expect. */
export function crashes(leaves: readonly Leaf[], error: unknown = { name: 'Error', message: 'bug' }): AnyEventObject[] {
  return leaves.map((leaf) => ({ type: `xstate.error.actor.${leaf.id}`, actorId: leaf.id, error }));
}

/** The delayed transitions that a configuration is waiting for; every order of their expiry is explored. */
export function timeouts(snapshot: AnyMachineSnapshot): AnyEventObject[] {
  return [...new Set(snapshot._nodes.flatMap((node) => node.after.map((transition) => transition.eventType)))].map((type) => ({ type }));
}

export function doneEvent(id: string, output: unknown): AnyEventObject {
  return { type: `xstate.done.actor.${id}`, actorId: id, output };
}

/** The child whose end an event reports, if it reports one. */
export function finishedBy(event: AnyEventObject): string | undefined {
  return /^xstate\.(?:done|error)\.actor\.(.+)$/.exec(event.type)?.[1];
}
