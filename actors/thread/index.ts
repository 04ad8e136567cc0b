/** loopchart/thread: conversations, and events as RxJS observables. */
export { type EventSource, events$, observableOf } from './observable.ts';
export type * from './types.ts';
export { createThread, openThread } from './createThread.ts';
export type { GoalCheck, GoalVerdict, OpenThreadOptions, ThreadOptions } from './options.ts';
