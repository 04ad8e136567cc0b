/** loopchart/view: what there is to see of a thread or a run, as plain data and as a store. */
export { viewOfLook } from './fromLook.ts';
export { reduceView, viewOf } from './reduceView.ts';
export { type FollowOptions, type ThreadViewStore, type ViewedThread, threadView, viewStore } from './threadView.ts';
export { EMPTY_VIEW } from './types.ts';
export type * from './types.ts';
