/** The agents of a plan, as a process builds them anew. */
import { Agent, type FunctionTool, type InputGuardrail, type OutputGuardrail, retryPolicies, tool } from 'loopchart';
import { z } from 'zod';
import type { AgentPlan, Plan, ToolPlan } from './plan.ts';
import type { Town } from './town.ts';

type AnyAgent = Agent<any, any>; // `any`: agents of one plan refer to each other

/** The first one is the one that is run. */
export function agentsOf(plan: Plan, town: Town): AnyAgent[] {
  const agents: AnyAgent[] = [];
  for (let at = plan.agents.length - 1; at >= 0; at -= 1) agents[at] = agentOf(plan, plan.agents[at]!, agents, town); // an agent only refers to later ones
  return agents;
}

function agentOf(plan: Plan, agent: AgentPlan, agents: readonly AnyAgent[], town: Town): AnyAgent {
  const { name, tools, handoffs, delegates, inputGuardrails, outputGuardrails } = agent;
  return new Agent({
    name,
    instructions: `You are ${name}.`,
    model: town.model,
    modelSettings: { retry: { maxRetries: plan.retries, policy: retryPolicies.httpStatus([503]), backoff: { initialDelayMs: 40, jitter: false } } },
    tools: [...tools.map((one) => toolOf(one, town)), ...delegates.map((at) => agents[at]!.asTool({ toolName: agents[at]!.name, toolDescription: 'Helps.' }))],
    handoffs: handoffs.map((at) => agents[at]!),
    inputGuardrails: inputGuardrails.map((one): InputGuardrail => ({ name: one.name, runInParallel: one.isParallel, execute: ({ input }) => town.guard(one, input) })),
    outputGuardrails: outputGuardrails.map((one): OutputGuardrail => ({ name: one.name, execute: ({ agentOutput }) => town.guard(one, agentOutput) })),
  });
}

function toolOf(plan: ToolPlan, town: Town): FunctionTool<any, any, any> { // `any`: tools of one agent differ
  const { name, effect, approval, timeoutMs, raises, isSerial } = plan;
  const options = {
    name,
    description: `Does ${name}.`,
    parameters: z.object({ n: z.number() }),
    effect,
    parallel: !isSerial,
    needsApproval: approval === 'some' ? async (_context: unknown, { n }: { n: number }) => n % 2 === 0 : approval === 'always',
    execute: ({ n }: { n: number }, _context: unknown, details: any) => town.body(plan, n, details), // `any`: given by the loop
    ...(effect === 'reconcilable' ? { check: (key: string) => town.check(key) } : {}),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(raises ? { errorFunction: null } : {}),
  };
  return tool(options as never) as FunctionTool<any, any, any>; // options of all kinds of tools at once; the types tell them apart
}
