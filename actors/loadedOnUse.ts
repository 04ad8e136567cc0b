/** Large modules that importing the front door does not load. */
import { lazily } from './lazily.ts';

/** What the front door loads with its first run. */
export const launching = lazily(() => import('./launch.ts'));
/** What it loads where a run is made of what was recorded of it. */
export const reviving = lazily(() => import('./revive.ts'));
