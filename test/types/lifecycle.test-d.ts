/** Checked by the compiler alone: a line that should not compile and does, fails the type check. */
import type { Agent } from '../../actors/agent.ts';
import { AgentHooks, registerHooks, RunHooks, type AgentHooksOption, type RunHooksOption } from '../../actors/lifecycle.ts';
import type { ModelRequest, ModelResponse } from '../../actors/ports.ts';
import type { RunContext } from '../../actors/runContext.ts';

interface Session { userId: string }
declare const context: RunContext<Session>;
declare const otherContext: RunContext<{ other: true }>;
declare const agent: Agent<Session, 'text'>;
declare const request: ModelRequest;
declare const response: ModelResponse;

const agentHooks = new AgentHooks<Session>();
const runHooks = new RunHooks<Session>();

agentHooks.on('agent_end', ({ context: own }, output) => own.userId + output.toUpperCase());
agentHooks.on('agent_llm_start', async (_context, sent) => void sent.tools.length);
agentHooks.on('agent_turn_start', (_context, turn) => turn.toFixed());
agentHooks.emit('agent_llm_end', context, response);
runHooks.on('agent_llm_end', (_context, by, answer) => [by.name, answer.usage.totalTokens]);
runHooks.on('agent_error', (_context, by, error) => [by.name, error instanceof Error]);
runHooks.emit('agent_turn_end', context, agent, 2);
const waited: Promise<void> = runHooks.emitAndWait('agent_llm_start', context, agent, request);
const anyone: boolean = runHooks.listens('agent_handoff');

// @ts-expect-error There is no such event.
agentHooks.on('agent_stop', () => undefined);
// @ts-expect-error There is no such event to listen for.
runHooks.listens('turn_start');
// @ts-expect-error On an agent, the agent is not among the arguments.
agentHooks.emit('agent_turn_end', context, agent, 2);
// @ts-expect-error On a runner, it is.
runHooks.emit('agent_turn_end', context, 2);
// @ts-expect-error A context of another type.
agentHooks.emit('agent_turn_end', otherContext, 2);
// @ts-expect-error What the model is sent has no such field.
agentHooks.on('agent_llm_start', (_context, sent) => sent.prompts);

const forAgent: AgentHooksOption<Session> = { llmStart: (_context, sent) => sent.modelSettings, error: async (_context, error) => void error };
const forRun: RunHooksOption<Session> = { toolEnd: (_context, by, tool, result) => [by.name, tool.name, result.length], handoff: undefined };
const remove: () => void = registerHooks(agentHooks, forAgent);
registerHooks(runHooks, forRun);
registerHooks(runHooks, { turnStart: (_context, by, turn) => [by.name, turn.toFixed()] });

// @ts-expect-error There is no such hook.
registerHooks(agentHooks, { turnStarted: () => undefined });
// @ts-expect-error A hook is a function.
registerHooks(agentHooks, { turnStart: 'no' });
// @ts-expect-error The second argument of an agent's turnStart is the turn, not the agent.
registerHooks(agentHooks, { turnStart: (_context, turn) => turn.name });

export { anyone, remove, waited };
