/** Events for RxJS: hot, shared by all who subscribe, and none of them holds the run up or ends it. */
import { Observable } from 'rxjs';
import type { EventObserver } from '../eventHub.ts';
import type { RunStreamEvent } from '../events.ts';
import type { StreamedRunResult } from '../result.ts';

/** Tells its observers what happens from now on, and when there is no more. */
export interface EventSource<Event> {
  /** @returns unsubscribes. */
  subscribe(observer: EventObserver<Event>): () => void;
}

/** What a source tells from each subscription on; completes and fails as the source does. */
export const observableOf = <Event>(source: EventSource<Event>): Observable<Event> =>
  new Observable((subscriber) => source.subscribe({ next: (event) => subscriber.next(event), complete: () => subscriber.complete(), error: (error) => subscriber.error(error) }));

/**
 * The events of a streamed run as an RxJS observable. It is hot: a subscriber hears what comes from then on, and to unsubscribe is no matter to
 * the run. It completes when the run has settled, waits or was interrupted, and fails with the error of a run that failed.
 *
 * @example
 * ```ts
 * import { Agent, run } from 'loopchart';
 * import { events$ } from 'loopchart/thread';
 *
 * const stream = await run(new Agent({ name: 'Storyteller' }), 'Tell me a story.', { stream: true });
 * events$(stream).subscribe((event) => console.log(event.type));
 * await stream.completed;
 * ```
 */
export const events$ = (streamed: StreamedRunResult<any, any>): Observable<RunStreamEvent> => observableOf(streamed); // `any`: whatever context and agent
