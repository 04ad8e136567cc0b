/** A thread as a store, that React, Vue, Solid or plain code can subscribe to. */
import { type Store, createStore } from '@xstate/store';
import type { RunEvent } from '../runEvents.ts';
import type { Thread } from '../thread/types.ts';
import { usageOf, viewOfLook } from './fromLook.ts';
import { reduceView } from './reduceView.ts';
import { EMPTY_VIEW, type ThreadView, type ViewLimits } from './types.ts';

export type ThreadViewStore = Store<ThreadView, { told: { events: readonly RunEvent[]; change?: Partial<ThreadView> } }, never>;

export interface FollowOptions {
  /**
   * When what has come in is shown. Default: in a microtask, so that all of one step is one update, and each piece of text that streams is one;
   * that costs some 10 µs. A page passes `requestAnimationFrame`: then there is one update a frame, however fast a model streams.
   */
  schedule?: (show: () => void) => void;
  /** Ends the following; the store keeps what it has. */
  signal?: AbortSignal;
}

/** What a view needs of a thread. */
export type ViewedThread = Pick<Thread, 'look' | 'interruptions' | 'events'>;

/**
 * A view as a store that is told events: of a run (`onEvent`), of a thread, or read again from a journal.
 *
 * @example
 * ```ts
 * import { Agent, run } from 'loopchart';
 * import { viewStore } from 'loopchart/view';
 *
 * const view = viewStore();
 * view.subscribe(({ context }) => console.log(context.transcript.length));
 * await run(new Agent({ name: 'Assistant' }), 'Hello.', { onEvent: (event) => view.trigger.told({ events: [event] }) });
 * ```
 */
export function viewStore({ view = EMPTY_VIEW, ...limits }: ViewLimits & { view?: ThreadView } = {}): ThreadViewStore {
  return createStore({
    context: view,
    on: {
      told: (context: ThreadView, { events, change }: { events: readonly RunEvent[]; change?: Partial<ThreadView> }): ThreadView => {
        const next = events.reduce((before, event) => reduceView(before, event, limits), context);
        return change ? { ...next, ...change } : next;
      },
    },
  });
}

/**
 * What there is to see of a thread: its transcript with the text that streams, what waits for a person, queue, mailbox, usage and the states
 * of all actors. A store of `@xstate/store`, so that `useSelector(view, ({ context }) => context.transcript)` of its bindings just works.
 * It follows until the thread is closed or the signal fires.
 *
 * @example
 * ```ts
 * import type { Thread } from 'loopchart/thread';
 * import { threadView } from 'loopchart/view';
 *
 * function show(thread: Thread) {
 *   const view = threadView(thread);
 *   view.subscribe(({ context }) => console.log(context.state, context.pending.length));
 * }
 * ```
 */
export function threadView(thread: ViewedThread, { schedule, signal, ...limits }: FollowOptions & ViewLimits = {}): ThreadViewStore {
  const { look } = thread;
  const store = viewStore({ ...limits, view: viewOfLook(look, thread.interruptions, limits) });
  const isActive = look.activeRunId !== undefined;
  const events = thread.events({ ...(isActive && { from: 0 }), signal });
  void follow(store, isActive ? since(events, look.activeRunId!) : events, { schedule, signal, change: (told) => (told.some(costs) ? { usage: usageOf(thread.look.usage) } : undefined) });
  return store;
}

/** Tells a store what comes, several events at a time. Resolves when there are no more; whatever ended them is no matter to the view. */
async function follow(store: ThreadViewStore, events: AsyncIterable<RunEvent>, { schedule = queueMicrotask, change }: FollowOptions & { change: (told: readonly RunEvent[]) => Partial<ThreadView> | undefined }): Promise<void> {
  let waiting: RunEvent[] = [];
  const show = () => {
    const told = waiting;
    waiting = [];
    store.trigger.told({ events: told, change: change(told) });
  };
  try {
    for await (const event of events) {
      if (waiting.length === 0) schedule(show);
      gather(waiting, event);
    }
  } catch {
    // Expected where the thread broke: whoever waits for its runs hears why.
  }
}

/** The text of one turn, which comes in small pieces, is told as one. */
function gather(waiting: RunEvent[], event: RunEvent): void {
  const last = waiting.at(-1);
  const [before, more] = [textOf(last), textOf(event)];
  if (before !== undefined && more !== undefined && last!.path === event.path) waiting[waiting.length - 1] = { ...event, data: { type: 'output_text_delta', delta: before + more } } as RunEvent; // a delta, as both are
  else waiting.push(event);
}

const textOf = (event: RunEvent | undefined) => (event?.type === 'delta' && event.data.type === 'output_text_delta' ? event.data.delta : undefined);

/** Of what is kept, that which the view does not have yet: the run that is going, from its begin. */
async function* since(events: AsyncIterable<RunEvent>, runId: string): AsyncGenerator<RunEvent> {
  let hasBegun = false;
  for await (const event of events) {
    hasBegun ||= event.path === runId;
    if (hasBegun) yield event;
  }
}

const costs = ({ type }: RunEvent) => type === 'turn.settled' || type === 'run.settled';
