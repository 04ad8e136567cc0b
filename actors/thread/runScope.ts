/** What the effects of one run of a thread have at hand: the options of the thread, as this run has them. */
import type { RunInput } from '../../machines/protocol/outcome.ts';
import type { RunOverrides } from '../../machines/protocol/thread.ts';
import type { ApprovalRules } from '../approvalRules.ts';
import type { AgentToolDelegate } from '../agentTool.ts';
import { UserError } from '../errors.ts';
import { Handoff } from '../handoff.ts';
import type { RunHooks } from '../lifecycle.ts';
import type { StreamEventListener } from '../ports.ts';
import type { RunContext } from '../runContext.ts';
import type { RunConfig } from '../runOptions.ts';
import { type AnyRunOptions, type ProgressListener, RunScope, type ScopeOptions } from '../scope.ts';
import { type AnyAgent, type ThreadOptions, THREAD_MAX_TURNS, THREAD_TOOL_OUTPUT_BYTES } from './options.ts';
import { rulesOfRun } from './rules.ts';

/** What all runs of a thread have in common. */
export interface RunsOfThread {
  causes: Map<string, unknown>;
  onRaw: StreamEventListener;
  onProgress: ProgressListener;
  hooks: RunHooks<any, any>;
  config: Partial<RunConfig>;
  agents: readonly AnyAgent[];
  runData: () => unknown;
  pace: ScopeOptions['pace'];
  rules: ApprovalRules;
  startBackground: ScopeOptions['startBackground'];
}

export function runScope(input: RunInput, options: ThreadOptions<any>, runContext: RunContext<any>, { agents, rules, ...common }: RunsOfThread): RunScope { // `any`: as in the front door's own types
  const { overrides, background, rules: known } = input.base ?? {};
  const delegate = background && delegateIn(agents, input.agent, background.tool);
  const [first, ...others] = delegate ? [delegate.agent] : agents;
  const scope = new RunScope({
    ...common,
    config: { ...common.config, ...delegate?.runConfig },
    runId: input.path,
    agent: first!,
    options: { ...optionsOf(options), ...delegate?.runOptions, ...said(overrides), approvalPolicy: rulesOfRun(rules, overrides, known) },
    runContext,
    stream: true,
    retryByDefault: true,
    overrides: { instructions: overrides?.instructions, tools: overrides?.tools && { names: overrides.tools, pool: options.tools ?? [] } },
  });
  for (const agent of others) scope.keyOf(agent);
  return scope;
}

/** Defaults for long work that nobody watches. */
function optionsOf({ maxTurns = THREAD_MAX_TURNS, stuckDetection = true, maxToolOutputBytes = THREAD_TOOL_OUTPUT_BYTES, ...options }: ThreadOptions<any>): AnyRunOptions {
  return { ...options, maxTurns, stuckDetection, maxToolOutputBytes };
}

/** What a run says of itself comes before what its thread says. */
function said({ maxTurns, modelSettings, model, finalTurn, budget }: RunOverrides = {}): Partial<AnyRunOptions> {
  const given = { maxTurns, modelSettings, model, finalTurn, budget };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<AnyRunOptions>; // of those keys
}

/** What is behind a tool that works beside the runs, wherever its agent is among those that the thread leads to. */
function delegateIn(agents: readonly AnyAgent[], name: string, toolName: string): AgentToolDelegate<any, any> { // `any`: whatever context and agent
  const found = [...reachable(agents)].filter((agent) => agent.name === name).flatMap(({ tools }) => tools).find((tool) => tool.name === toolName);
  if (found?.type === 'function' && found.delegate) return found.delegate;
  throw new UserError(`Agent "${name}" has no agent tool "${toolName}" that could work in the background. Give it a tool of this name again.`);
}

/** All that they may lead to: by handoffs, and as tools. */
export function reachable(agents: readonly AnyAgent[], seen = new Set<AnyAgent>()): Set<AnyAgent> {
  for (const agent of agents) {
    if (seen.has(agent)) continue;
    seen.add(agent);
    const inTools = agent.tools.flatMap((tool) => (tool.type === 'function' && tool.delegate ? [tool.delegate.agent as AnyAgent] : [])); // of any kind
    reachable([...agent.handoffs.map((target) => (target instanceof Handoff ? target.agent : target)), ...inTools], seen);
  }
  return seen;
}
