/** What the effects of one run of a thread have at hand: the options of the thread, as this run has them. */
import type { RunInput } from '../../machines/protocol/outcome.ts';
import type { RunOverrides } from '../../machines/protocol/thread.ts';
import { UserError } from '../errors.ts';
import type { RunHooks } from '../lifecycle.ts';
import type { StreamEventListener } from '../ports.ts';
import type { RunContext } from '../runContext.ts';
import type { RunConfig } from '../runOptions.ts';
import { type AnyRunOptions, type ProgressListener, RunScope, type ScopeOptions } from '../scope.ts';
import { type AnyAgent, type ThreadOptions, THREAD_MAX_TURNS } from './options.ts';

/** What all runs of a thread have in common. */
export interface Common {
  causes: Map<string, unknown>;
  onRaw: StreamEventListener;
  onProgress: ProgressListener;
  hooks: RunHooks<any, any>;
  config: Partial<RunConfig>;
  agents: readonly AnyAgent[];
  runData: () => unknown;
  pace: ScopeOptions['pace'];
}

export function runScope(input: RunInput, options: ThreadOptions<any>, runContext: RunContext<any>, { agents, ...common }: Common): RunScope { // `any`: as in the front door's own types
  const { overrides, background } = input.base ?? {};
  const [first, ...others] = agents;
  const scope = new RunScope({
    ...common,
    runId: input.path,
    agent: first!,
    options: { ...optionsOf(options), ...said(overrides) },
    runContext,
    stream: true,
    overrides: { instructions: overrides?.instructions, tools: overrides?.tools && { names: overrides.tools, pool: options.tools ?? [] } },
  });
  for (const agent of others) scope.keyOf(agent);
  if (background) scope.keyOf(delegateOf(scope, input.agent, background.tool));
  return scope;
}

function optionsOf({ maxTurns = THREAD_MAX_TURNS, ...options }: ThreadOptions<any>): AnyRunOptions {
  return { ...options, maxTurns };
}

/** What a run says of itself comes before what its thread says. */
function said({ maxTurns, modelSettings, model }: RunOverrides = {}): Partial<AnyRunOptions> {
  return { ...(maxTurns !== undefined && { maxTurns }), ...(modelSettings && { modelSettings }), ...(model !== undefined && { model }) };
}

/** The agent behind a tool that works beside the runs. */
export function delegateOf(scope: RunScope, agent: string, tool: string): AnyAgent {
  const found = scope.agent(agent).tools.find((one) => one.type === 'function' && one.name === tool);
  if (found?.type === 'function' && found.delegate) return found.delegate.agent;
  throw new UserError(`Agent "${agent}" has no agent tool "${tool}" that could work beside the runs. Give it a tool of this name again.`);
}
