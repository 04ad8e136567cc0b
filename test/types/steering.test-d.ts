/** Checked by the compiler alone: a line that should not compile and does, fails the type check. */
import { Agent, type RunEvent, type RunState, Runner, type StopHook, type StopHookAnswer, type StopHookArgs, type StuckThresholds, run } from 'loopchart';

declare const agent: Agent<{ user: string }>;
declare const plain: Agent;
declare const state: RunState;
declare const event: RunEvent;

// -- stop hooks -------------------------------------------------------------------------------------------------------
const hook: StopHook<{ user: string }> = {
  name: 'tests pass',
  execute: ({ output, agent: shown, context, turn, history, signal, effectId }) => {
    output satisfies unknown;
    if (turn > 3 || signal.aborted || history.length > 9) return undefined;
    return { objection: `${shown.name}: ${context.context.user.toUpperCase()}, ${effectId.toUpperCase()}` };
  },
};
((args: StopHookArgs) => (args.turn === 1 ? { objection: 'Not yet.' } : null)) satisfies (args: StopHookArgs) => StopHookAnswer;
await run(agent, 'go', { context: { user: 'Ada' }, stopHooks: [hook, { name: 'silent', execute: () => {} }, { name: 'later', execute: async () => undefined }] });
// @ts-expect-error An objection says what is missing.
await run(plain, 'go', { stopHooks: [{ name: 'mute', execute: () => ({ objection: true }) }] });
// @ts-expect-error A hook has a name: events tell it.
await run(plain, 'go', { stopHooks: [{ execute: () => undefined }] });
// @ts-expect-error Hooks are of one run, not of a runner: its nested runs would have them too.
new Runner({ stopHooks: [hook] });

// -- limits -----------------------------------------------------------------------------------------------------------
const thresholds: Partial<StuckThresholds> = { repetition: 6 };
await run(plain, 'go', { finalTurn: true, stuckDetection: thresholds });
new Runner({ finalTurn: true, stuckDetection: true });
// @ts-expect-error There is no such pattern.
await run(plain, 'go', { stuckDetection: { boredom: 3 } });

// -- input that joins -------------------------------------------------------------------------------------------------
state.addInput('more');
state.addInput([{ role: 'user', content: 'more' }], { path: 'run_1/agent.1/turn.1/toolCall.1.0/run' });
// @ts-expect-error A path is one text.
state.addInput('more', { path: ['run_1'] });
if (event.type === 'input.delivered') event.turn.toFixed();
if (event.type === 'input.dropped') event.reason satisfies 'guardrail' | 'path' | 'limit' | 'late' | 'stopped' | 'failed' | 'interrupted' | 'reverted';
if (event.type === 'stopHook.objected') event.objections[0]?.hook.toUpperCase();
