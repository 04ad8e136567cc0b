/** What the effects of one run of a thread have at hand: the options of the thread, as this run has them. */
import type { RunInput } from '../../machines/protocol/outcome.ts';
import type { RunOverrides } from '../../machines/protocol/thread.ts';
import type { ApprovalRules } from '../approvalRules.ts';
import type { AgentToolDelegate } from '../agentTool.ts';
import { UserError } from '../errors.ts';
import { Handoff } from '../handoff.ts';
import type { RunHooks } from '../lifecycle.ts';
import type { StreamEventListener } from '../ports.ts';
import { RunContext } from '../runContext.ts';
import type { RunConfig } from '../runOptions.ts';
import { type AnyRunOptions, type ProgressListener, RunScope, type ScopeOptions } from '../scope.ts';
import type { Tool } from '../toolTypes.ts';
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
  runData: ScopeOptions['runData'];
  pace: ScopeOptions['pace'];
  rules: ApprovalRules;
  startBackground: ScopeOptions['startBackground'];
}

/** @param context what the app shares with all runs. */
export function runScope(input: RunInput, options: ThreadOptions<any>, context: unknown, shared: RunsOfThread): RunScope { // `any`: as in the front door's own types
  return input.base?.background ? backgroundScope(input, options, context, shared) : ownScope(input, options, context, shared);
}

function ownScope(input: RunInput, options: ThreadOptions<any>, context: unknown, { agents, rules, ...common }: RunsOfThread): RunScope {
  const { overrides, rules: known } = input.base ?? {};
  const [first, ...others] = agents;
  const scope = new RunScope({
    ...common,
    ...LONG_WORK,
    runId: input.path,
    agent: first!,
    options: { ...optionsOf(options), ...said(overrides), approvalPolicy: rulesOfRun(rules, overrides, known) },
    runContext: new RunContext<any>(context),
    overrides: { instructions: overrides?.instructions, tools: overrides?.tools && { names: overrides.tools, pool: options.tools ?? [] } },
  });
  for (const agent of others) scope.keyOf(agent);
  return scope;
}

/** As an agent that is used as a tool, but a run of its own: what the thread says of its conversation is not said of it. */
function backgroundScope(input: RunInput, options: ThreadOptions<any>, context: unknown, { agents, rules, hooks: _hooks, ...common }: RunsOfThread): RunScope {
  const { tool, params } = input.base!.background!; // asked just before
  const delegate = delegateIn(agents, options.tools, input.agent, tool);
  const { context: own } = delegate.runOptions;
  const runContext = new RunContext<any>(own instanceof RunContext ? own.context : (own ?? context));
  if (delegate.capturesInput) runContext.toolInput = params;
  const { model: _model, modelSettings: _settings, errorHandlers: _handlers, stopHooks: _stopHooks, finalTurn: _finalTurn, compaction: _compaction, callModelInputFilter: _filter, ...others } = optionsOf(options);
  return new RunScope({
    ...common,
    ...LONG_WORK,
    config: { ...common.config, approvalPolicy: undefined, ...delegate.runConfig },
    runId: input.path,
    agent: delegate.agent,
    options: { ...others, autoPreviousResponseId: undefined, approvalPolicy: undefined, ...delegate.runOptions },
    runContext,
    outerRules: [rules],
    delegate,
    deliver: delegate.isStreaming() ? (event) => void delegate.onStream({ event, agent: delegate.agent }) : undefined,
  });
}

const LONG_WORK = { stream: true, retryByDefault: true };

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
function delegateIn(agents: readonly AnyAgent[], pool: readonly Tool<any>[] = [], key: string, toolName: string): AgentToolDelegate<any, any> { // `any`: whatever context and agent
  const ofName = [...reachable(agents)].filter(({ name }) => key === name || key.startsWith(`${name}#`)); // agents of one name are told apart by a number
  const found = [...ofName.flatMap(({ tools }) => tools as Tool<any>[]), ...pool].find((tool) => tool.name === toolName && 'delegate' in tool && tool.delegate?.background);
  if (found?.type === 'function' && found.delegate) return found.delegate;
  throw new UserError(`Agent "${key}" has no agent tool "${toolName}" that could work in the background. Give it a tool of this name again.`);
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
