/** Checked by the compiler alone: a line that should not compile and does, fails the type check. */
import { Agent, type BegunRun, ColdRun, type ColdStream, type Journal, type ReadEventsOptions, type RunEvent, type RunStreamEvent, Runner, type StreamOptions, type StreamedRunResult, readEvents, resume, run, stream } from 'loopchart';
import { type EventSource, type Thread, type ThreadEvent, events$, observableOf } from 'loopchart/thread';
import {
  type ActorView, EMPTY_VIEW, type Entry, type FollowOptions, type PendingRequest, type Placed, type ThreadView, type ThreadViewStore, type ToolCallEntry, type ToolCallStatus, type UsageView, type ViewLimits,
  type ViewedThread, reduceView, threadView, viewOf, viewOfLook, viewStore,
} from 'loopchart/view';
import type { Observable } from 'rxjs';
import { z } from 'zod';

declare const journal: Journal;
declare const thread: Thread;
declare const event: RunEvent;
const agent = new Agent({ name: 'A', outputType: z.object({ sum: z.number() }) });

// -- how a stream is read ---------------------------------------------------------------------------------------------
const streamed = await run(agent, 'go', { stream: true, backPressure: 'dropDeltas', buffer: 10 });
streamed.dropped.toFixed();
await resume('run_1', { journal, agents: agent, stream: true, backPressure: 'block' });
({ backPressure: 'block' }) satisfies StreamOptions;
// @ts-expect-error There is nothing to read of a run that is awaited.
await run(agent, 'go', { backPressure: 'block' });
// @ts-expect-error There is no such way.
await run(agent, 'go', { stream: true, backPressure: 'drop' });

// -- cold -------------------------------------------------------------------------------------------------------------
const cold = stream(agent, 'go', { buffer: 10 });
cold satisfies ColdStream<undefined, typeof agent>;
for await (const one of cold) one satisfies RunStreamEvent;
(await cold) satisfies StreamedRunResult<undefined, typeof agent>;
(await cold).finalOutput?.sum.toFixed();
new Runner().stream(agent, 'go') satisfies ColdRun<RunStreamEvent, unknown>;
declare const begun: BegunRun<number, string>;
(await new ColdRun(() => begun)) satisfies string;
// @ts-expect-error It streams: that is what it is for.
stream(agent, 'go', { stream: true });

// -- read again, and observed -----------------------------------------------------------------------------------------
for await (const one of readEvents('run_1', { journal, agents: [agent], from: 3 })) one satisfies RunEvent;
({ journal, agents: agent }) satisfies ReadEventsOptions;
// @ts-expect-error Agents are not kept in journals.
readEvents('run_1', { journal });
events$(streamed) satisfies Observable<RunStreamEvent>;
declare const source: EventSource<number>;
observableOf(source) satisfies Observable<number>;
thread.events$ satisfies Observable<ThreadEvent>;
if (event.type === 'deltas.dropped') event.dropped.toFixed();

// -- views ------------------------------------------------------------------------------------------------------------
const view: ThreadView = reduceView(EMPTY_VIEW, event, { keepEntries: 10 } satisfies ViewLimits);
viewOf([event]) satisfies ThreadView;
viewOfLook(thread.look, thread.interruptions) satisfies ThreadView;
const store: ThreadViewStore = threadView(thread satisfies ViewedThread, { schedule: requestAnimationFrame, signal: AbortSignal.timeout(1) } satisfies FollowOptions);
store.subscribe(({ context }) => context.transcript satisfies readonly Entry[]);
viewStore({ view }).trigger.told({ events: [event] });
view.actors satisfies readonly ActorView[];
view.pending satisfies readonly PendingRequest[];
view.usage satisfies UsageView | null;
for (const entry of view.transcript) {
  entry satisfies Placed;
  if (entry.kind === 'toolCall') (entry satisfies ToolCallEntry).status satisfies ToolCallStatus;
  if (entry.kind === 'assistant' && entry.status === 'streaming') entry.text.trim();
}
// @ts-expect-error A view is not changed in place.
view.transcript.push(view.transcript[0]!);
