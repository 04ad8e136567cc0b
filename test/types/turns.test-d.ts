/** Checked by the compiler alone: a line that should not compile and does, fails the type check. */
import { Agent, Runner, type RunEvent, type RunState, type SteerMode, type ToolStart, run } from 'loopchart';
import type { ItemReady } from 'loopchart/machines';

declare const agent: Agent;
declare const state: RunState;
declare const event: RunEvent;

// -- calls that begin early, one call a turn, long results ------------------------------------------------------------
await run(agent, 'go', { toolStart: 'eager', oneCallPerTurn: true, maxToolOutputBytes: 40_000, steerMode: 'instant' });
await new Runner({ toolStart: 'afterResponse', maxToolOutputBytes: null, steerMode: 'safePoint' }).run(agent, 'go');
'eager' satisfies ToolStart;
'instant' satisfies SteerMode;
// @ts-expect-error There is no such start.
await run(agent, 'go', { toolStart: 'early' });
// @ts-expect-error A length is a number, or null for any.
await run(agent, 'go', { maxToolOutputBytes: '40 kB' });

// -- input that cannot wait -------------------------------------------------------------------------------------------
state.addInput('No, stop.', { mode: 'instant' });
state.addInput('And hurry.');
// @ts-expect-error There is no such mode.
state.addInput('And hurry.', { mode: 'soon' });
if (event.type === 'turn.retracted') event.kept.map(({ type }) => type);
if (event.type === 'turn.settled' && event.next === 'cut') event.guard.toUpperCase();

// -- charts -----------------------------------------------------------------------------------------------------------
({ type: 'item.ready', item: { role: 'user', content: 'x' }, at: 1 }) satisfies ItemReady;
