import type { AnyActorLogic, NonReducibleUnknown, PromiseActorLogic } from 'xstate';

/** An effect as a chart sees it: an actor that ends with `Output`. `fromPromise` makes one; the host makes others. */
export type Leaf<Input, Output> = PromiseActorLogic<Output, Input & NonReducibleUnknown>;

/**
 * A place in a chart for an actor that is provided later. A chart run with an empty slot fails by naming it
 * instead of waiting for ever.
 */
export const slot = <Logic extends AnyActorLogic>(name: string): Logic =>
  ({
    config: { id: name },
    getInitialSnapshot: () => {
      throw new Error(`Actor "${name}" is not provided. Pass it to compose() or to machine.provide({ actors: { ${name} } }).`);
    },
    transition: (snapshot: unknown) => snapshot,
    getPersistedSnapshot: (snapshot: unknown) => snapshot,
  }) as unknown as Logic; // a slot has the type of what will fill it
