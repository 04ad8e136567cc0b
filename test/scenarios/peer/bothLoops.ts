/** The same agents on the same script in both libraries, and what each of them makes of it. */
import * as peerLibrary from '@openai/agents-core';
import { removeAllTools } from '@openai/agents-core/extensions';
import * as ourLibrary from 'loopchart';
import type { Agent, AgentInputItem, IndividualRunOptions, MemorySession, RunResult, RunState, Runner, RunStreamEvent } from 'loopchart';
import { normalise, scriptedModel, type NormalisedRequest, type RecordedRequest, type ScriptedModel, type Step } from 'loopchart/testing';

export type Library = typeof ourLibrary;
type Options = Omit<IndividualRunOptions<any, any>, 'stream'>;

/** What a setup may use; everything in it belongs to one play in one library. */
export interface Workbench {
  lib: Library;
  model: ScriptedModel;
  session: MemorySession;
}

export interface Setup {
  script: Step[];
  build: (bench: Workbench) => Agent<any, any>;
  /** One run for each; the default is a single `'go'`. */
  inputs?: (string | AgentInputItem[])[];
  options?: (bench: Workbench) => Options;
  runner?: (bench: Workbench) => Runner;
  /** Asked whenever the run waits; then it is resumed. Without it, waiting is the end. */
  decide?: (state: RunState<any, any>) => void;
  /** The state passes through its text before each resume. */
  throughText?: boolean;
  /** The state in which it ended is run once more. */
  again?: boolean;
}

/** What there is to compare. Messages of errors are each library's own words. */
export interface Outcome {
  ending: { finalOutput: unknown } | { error: string } | { waitingFor: (string | undefined)[] };
  requests: NormalisedRequest[];
  items: { type: string; agent: string; rawItem: unknown }[];
  history: AgentInputItem[];
  lastAgent?: string;
  usage: [requests: number, inputTokens: number, outputTokens: number];
  session: AgentInputItem[];
  guardrails: string[];
  /** Names of the item events of a streamed run. */
  streamed: string[];
  /** What hooks of the runner heard, in order. */
  hooks: string[];
}

export async function inOurs(setup: Setup, stream: boolean): Promise<Outcome> {
  return play(ourLibrary, setup, stream);
}

/** The claim under test is that one code fits both: the peer is used through our own types. */
export async function inPeers(setup: Setup, stream: boolean): Promise<Outcome> {
  return play({ ...peerLibrary, removeAllTools } as unknown as Library, setup, stream);
}

async function play(lib: Library, setup: Setup, stream: boolean): Promise<Outcome> {
  const bench: Workbench = { lib, model: scriptedModel(...setup.script), session: new lib.MemorySession({ sessionId: 'session_1' }) };
  const agent = setup.build(bench);
  const runner = setup.runner?.(bench) ?? new lib.Runner({ tracingDisabled: true });
  const options = setup.options?.(bench) ?? {};
  const streamed: string[] = [];
  const hooks = listen(runner);
  const once = (input: string | AgentInputItem[] | RunState<any, any>) => runOnce(runner, agent, input, options, stream ? streamed : undefined);
  let ended: Ended = {};
  for (const input of setup.inputs ?? ['go']) {
    ended = await once(input);
    for (let left = 5; left > 0 && setup.decide && ended.result && ended.result.interruptions.length > 0; left -= 1) {
      let { state } = ended.result;
      if (setup.throughText) state = await lib.RunState.fromString<any, Agent<any, any>>(agent, state.toString());
      setup.decide(state);
      ended = await once(state);
    }
  }
  if (setup.again && ended.result) ended = await once(ended.result.state);
  return { ...outcomeOf(ended), requests: bench.model.requests.map((request) => normalise(publicPart(request))), session: await bench.session.getItems(), streamed, hooks };
}

function listen(runner: Runner): string[] {
  const heard: string[] = [];
  runner.on('agent_start', (_context, agent) => void heard.push(`${agent.name} starts`));
  runner.on('agent_end', (_context, agent, output) => void heard.push(`${agent.name} ends with ${output}`));
  runner.on('agent_handoff', (_context, from, to) => void heard.push(`${from.name} hands off to ${to.name}`));
  runner.on('agent_tool_start', (_context, agent, { name }) => void heard.push(`${agent.name} starts ${name}`));
  runner.on('agent_tool_end', (_context, agent, { name }, result) => void heard.push(`${agent.name} ends ${name} with ${result}`));
  return heard;
}

interface Ended { result?: RunResult<any, any>; error?: unknown }

async function runOnce(runner: Runner, agent: Agent<any, any>, input: string | AgentInputItem[] | RunState<any, any>, options: Options, streamed: string[] | undefined): Promise<Ended> {
  try {
    if (!streamed) return { result: await runner.run(agent, input, options) };
    const result = await runner.run(agent, input, { ...options, stream: true });
    for await (const event of result as AsyncIterable<RunStreamEvent>) if (event.type === 'run_item_stream_event') streamed.push(event.name);
    await result.completed;
    return { result: result as unknown as RunResult<any, any> }; // both kinds of result show the same of a run that is over
  } catch (error) {
    return { error };
  }
}

function outcomeOf({ result, error }: Ended): Omit<Outcome, 'requests' | 'session' | 'streamed' | 'hooks'> {
  if (!result) return { ending: { error: classOf(error) }, items: [], history: [], usage: [0, 0, 0], guardrails: [] };
  const { requests, inputTokens, outputTokens } = result.state.usage;
  const { inputGuardrailResults, outputGuardrailResults, toolInputGuardrailResults, toolOutputGuardrailResults } = result;
  const waitingFor = (result.interruptions ?? []).map(({ name }) => name);
  return {
    ending: waitingFor.length > 0 ? { waitingFor } : { finalOutput: result.finalOutput },
    items: result.newItems.map((item) => ({ type: item.type, agent: 'agent' in item ? item.agent.name : `${item.sourceAgent.name} to ${item.targetAgent.name}`, rawItem: plain(item.rawItem) })),
    history: plain(result.history) as AgentInputItem[],
    lastAgent: result.lastAgent?.name,
    usage: [requests, inputTokens, outputTokens],
    guardrails: [...inputGuardrailResults, ...outputGuardrailResults, ...toolInputGuardrailResults, ...toolOutputGuardrailResults].map(({ guardrail }) => guardrail.name),
  };
}

const classOf = (error: unknown) => (error instanceof Error ? (error.name === 'AbortError' ? 'AbortError' : error.constructor.name) : String(error));
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/**
 * Without what says nothing: notes that the peer passes to its own models, empty instructions, the dialect of a schema, and
 * whether a prompt's model is overridden where there is no prompt.
 */
function publicPart<Request extends RecordedRequest>(request: Request): Request {
  const { _internal, overridePromptModel, systemInstructions, ...rest } = request as Request & { _internal?: unknown };
  const tools = rest.tools.map((tool) => ('parameters' in tool ? { ...tool, parameters: { ...tool.parameters, $schema: undefined } } : tool));
  return { ...rest, tools, ...(systemInstructions ? { systemInstructions } : {}), ...(rest.prompt ? { overridePromptModel } : {}) } as Request; // nothing else was changed
}
