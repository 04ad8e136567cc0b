/** Events of a thread from any of its numbers on (I6): first from its journal, then those that are kept here, then new ones. */
import type { EventHub } from '../eventHub.ts';
import type { AnyAgent } from './options.ts';
import { retellThread } from './retellThread.ts';
import type { ThreadExecution } from './threadExecution.ts';
import type { ThreadEvent } from './types.ts';

export function eventsFrom({ from, signal }: { from?: number; signal?: AbortSignal }, hub: EventHub<ThreadEvent>, execution: ThreadExecution): AsyncIterableIterator<ThreadEvent> {
  if (from === undefined || from >= hub.oldest) return hub.read({ ...(from !== undefined && { from }), ...(signal && { signal }) });
  const first = hub.oldest;
  const live = hub.read({ from: first, ...(signal && { signal }) });
  return withPast(live, async () => (signal?.aborted ? [] : (await past(execution)).filter(({ number }) => isBetween(number, from, first))));
}

const isBetween = (number: ThreadEvent['number'], from: number, first: number) => typeof number === 'number' && number >= from && number < first;

async function past({ host, threadId, agent, options, context }: ThreadExecution): Promise<ThreadEvent[]> {
  const events: ThreadEvent[] = [];
  const agents: readonly AnyAgent[] = [agent, ...(options.agents ?? [])];
  const { bufferUntilGuarded } = options;
  await retellThread({ id: threadId, journal: host.journal, agents, entries: await host.journal.read(context.facts.path), bufferUntilGuarded }, (event) => void events.push(event));
  return events;
}

async function* withPast(live: AsyncIterableIterator<ThreadEvent>, read: () => Promise<ThreadEvent[]>): AsyncGenerator<ThreadEvent, void, undefined> {
  try {
    yield* await read();
    yield* live;
  } finally {
    await live.return?.();
  }
}
