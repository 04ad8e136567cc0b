/** A recorded run that is gone on with in this process. Who listens, and who is asked, is the audience's business. */
import type { Agent } from '../../actors/agent.ts';
import { UserError } from '../../actors/errors.ts';
import { checkedAnswers } from '../../actors/effects/questions.ts';
import type { RunToolApprovalItem } from '../../actors/items.ts';
import { MemorySession } from '../../actors/memorySession.ts';
import type { Session } from '../../actors/ports.ts';
import type { Answers } from '../../actors/question.ts';
import { RunContext } from '../../actors/runContext.ts';
import type { StreamedRunResult } from '../../actors/result.ts';
import { resume } from '../../actors/resume.ts';
import type { Runner } from '../../actors/run.ts';
import type { StreamRunOptions } from '../../actors/runOptions.ts';
import type { RunState } from '../../actors/runState.ts';
import type { RunEvent } from '../../actors/runView.ts';
import { agentsFrom } from './agentGraph.ts';
import { type Recording, wayOnAfter } from './recording.ts';
import type { Spent } from './wording.ts';

type AnyAgent = Agent<any, any>; // `any`: a user's agent may have any context and output
type Result = StreamedRunResult<any, AnyAgent>;
type Listener = (event: RunEvent) => void;

/** The answer to a call that waits. `cancel` refuses it and ends the run, `leave` lets it wait on. */
export type Verdict =
  | { decision: 'approve'; arguments?: string; always?: boolean }
  | { decision: 'reject'; message?: string }
  | { decision: 'useResult'; output: string }
  | { decision: 'answer'; answers: Answers }
  | { decision: 'cancel' | 'leave' };

/** `wayOn` is the command that goes on with the run, where it is recorded and can be. */
export type Ending = { agent: string; spent: Spent; ms: number; runId?: string; wayOn?: string } & Outcome;
type Outcome =
  | { status: 'completed'; output: unknown }
  | { status: 'failed'; error: unknown }
  /** `stopped`: after a turn, because somebody asked for it. */
  | { status: 'interrupted' | 'stopped' | 'waiting' };

export interface Audience {
  event(event: RunEvent): void;
  /** What was told in another process, so that what follows can be understood. */
  recall(event: RunEvent): void;
  /** Asks about a call. `complaintAbout` says what is wrong with arguments that a person has changed, or with answers, as JSON text, if anything is. */
  decide(item: RunToolApprovalItem, complaintAbout: (input: string) => Promise<string | undefined>): Promise<Verdict>;
  settled(ending: Ending): void;
}

/** A run of the recording, and what of it has been heard before. */
export interface Recorded { runId: string; heard: number }

interface ConversationOptions {
  agent: AnyAgent;
  /** All that its runs may lead to; by default, those that it knows of. */
  agents?: readonly AnyAgent[];
  runner: Runner;
  /** For every agent, whatever it says itself. */
  model?: string;
  audience: Audience;
  recording: Recording;
}

export class Conversation {
  readonly #runner: Runner;
  readonly #model: string | undefined;
  readonly #audience: Audience;
  readonly #agents: readonly AnyAgent[];
  readonly #recording: Recording;
  readonly #session: Session;
  /** Calls a person has approved for the rest of the conversation, as agent and tool. */
  #always: ReadonlySet<string> = new Set();
  #agent: AnyAgent;
  /** The run that is going. */
  #state: RunState<any, AnyAgent> | undefined;

  constructor({ agent, agents = agentsFrom(agent), runner, model, audience, recording }: ConversationOptions) {
    this.#agent = agent;
    this.#agents = agents;
    this.#runner = runner;
    this.#model = model;
    this.#audience = audience;
    this.#recording = recording;
    this.#session = recording.thread ?? new MemorySession();
  }

  /** The command that goes on with the run that is going, should this process end now. */
  get wayOn(): string | undefined {
    return this.#state && this.#wayOnFrom(this.#state);
  }

  /** Goes on with a run that has not ended. Never rejects: what it failed with is told to the audience. */
  resume({ runId, heard }: Recorded, controller: AbortController): Promise<Ending> {
    const { journal } = this.#recording;
    return this.#play(controller, heard, (onEvent) => resume<any>(runId, { runner: this.#runner, agents: this.#agents, ...this.#options(controller, onEvent), journal })); // `any`: as of agents
  }

  /** Goes on where a run has ended, as a new one (K5). Never rejects, as `resume`. */
  again(state: RunState<any, AnyAgent>, controller: AbortController): Promise<Ending> {
    const { turns, maxTurns } = state.source.progress;
    const more = maxTurns !== null && maxTurns !== undefined && turns >= maxTurns ? { maxTurns: turns + maxTurns } : {}; // else its limit would end it at once
    return this.#play(controller, 0, (onEvent) => this.#run(state, { ...this.#options(controller, onEvent), ...more }));
  }

  async #play(controller: AbortController, heard: number, begin: (onEvent: Listener) => Promise<Result>): Promise<Ending> {
    const began = Date.now();
    const onEvent = this.#hearing(heard);
    this.#state = undefined;
    let outcome: Outcome;
    try {
      let result = await this.#follow(await begin(onEvent));
      while (!result.cancelled && (await this.#decide(result, controller))) result = await this.#follow(await this.#run(result.state, this.#options(controller, onEvent)));
      this.#agent = result.state.currentAgent;
      outcome = outcomeOf(result);
    } catch (error) {
      // Everything a run can fail with, bugs in the user's agent included: told, and the conversation goes on.
      this.#agent = this.#lastState()?.currentAgent ?? this.#agent;
      outcome = { status: 'failed', error };
    }
    const ending = this.#ending(outcome, Date.now() - began);
    this.#state = undefined;
    this.#audience.settled(ending);
    return ending;
  }

  #run(input: string | RunState<any, AnyAgent>, options: StreamRunOptions<any, AnyAgent>): Promise<Result> {
    return this.#runner.run<AnyAgent, any>(this.#agent, input, options) as Promise<Result>; // it is told to stream
  }

  /** Asked for in this way, because a run may have begun since the last look. */
  #lastState(): RunState<any, AnyAgent> | undefined {
    return this.#state;
  }

  #options({ signal }: AbortController, onEvent: Listener) {
    const { journal, thread } = this.#recording;
    const bufferUntilGuarded = this.#agents.some(({ outputGuardrails }) => outputGuardrails.length > 0); // text that may yet be withheld must not have been shown (E3)
    return { stream: true, session: this.#session, signal, model: this.#model, onEvent, bufferUntilGuarded, journal, threadId: thread?.id } as const;
  }

  async #follow(result: Result): Promise<Result> {
    this.#state = result.state;
    await result.completed;
    return result;
  }

  #ending(outcome: Outcome, ms: number): Ending {
    const state = this.#state;
    const { requests = 0, inputTokens = 0, outputTokens = 0 } = state?.usage ?? {};
    const ending: Ending = { ...outcome, agent: this.#agent.name, spent: { requests, inputTokens, outputTokens }, ms };
    if (!state) return ending;
    const wayOn = this.#wayOnFrom(state, outcome.status === 'failed' ? outcome.error : undefined);
    return { ...ending, runId: state.runId, ...(wayOn !== undefined && { wayOn }) };
  }

  #wayOnFrom({ runId, source: { entries } }: RunState<any, AnyAgent>, error?: unknown): string | undefined {
    return wayOnAfter(this.#recording, { runId, entries }, error);
  }

  /** A resumed run announces again what was heard before it waited; the numbers tell. */
  #hearing(heard: number): Listener {
    let last = 0;
    return (event) => {
      if (typeof event.number !== 'number') return this.#audience.event(event);
      if (event.number <= last) return;
      last = event.number;
      if (last <= heard) this.#audience.recall(event);
      else this.#audience.event(event);
    };
  }

  /**
   * All are asked before any is told, so that a cancel also takes back what was approved a moment ago.
   * @returns false when nothing was decided: none waits, or all are to wait on.
   */
  async #decide({ interruptions, state }: Result, controller: AbortController): Promise<boolean> {
    if (interruptions.length === 0) return false;
    const verdicts: Verdict[] = [];
    const always = new Set(this.#always);
    for (const item of interruptions) {
      const isKnown = always.has(ruleOf(item)) && !item.uncertain && !item.questions && item.reason === undefined; // what holds once is not known
      const verdict: Verdict = isKnown ? { decision: 'approve' } : await this.#audience.decide(item, (input) => complaint(item, state, input));
      verdicts.push(verdict);
      if (verdict.decision === 'approve' && verdict.always) always.add(ruleOf(item));
      if (verdict.decision === 'cancel') controller.abort();
      if (controller.signal.aborted) break;
    }
    if (controller.signal.aborted) {
      for (const item of interruptions) if (!item.uncertain) state.reject(item); // what became of an uncertain one, nobody has said
      return true;
    }
    this.#always = always;
    for (const [at, item] of interruptions.entries()) tell(state, item, verdicts[at]!); // there is one for each
    return verdicts.some(({ decision }) => decision !== 'leave');
  }
}

function tell(state: RunState<any, AnyAgent>, item: RunToolApprovalItem, verdict: Verdict): void {
  switch (verdict.decision) {
    case 'approve':
      return state.approve(item, { arguments: verdict.arguments, alwaysApprove: verdict.always });
    case 'reject':
      return state.reject(item, { message: verdict.message });
    case 'useResult':
      return state.useResult(item, verdict.output);
    case 'answer':
      return state.answer(item, verdict.answers);
    case 'leave':
      return;
    case 'cancel': // It ends the run, and has been dealt with.
      return;
  }
}

function outcomeOf(result: Result): Outcome {
  if (result.cancelled) return { status: 'interrupted' };
  return result.interruptions.length > 0 ? { status: 'waiting' } : { status: 'completed', output: result.finalOutput };
}

const ruleOf = (item: RunToolApprovalItem) => JSON.stringify([item.agent.name, item.name]);

async function complaint(item: RunToolApprovalItem, state: RunState<any, AnyAgent>, input: string): Promise<string | undefined> {
  return item.questions ? complaintAboutAnswers(item, state, JSON.parse(input) as Answers) : complaintAbout(item, input, state.runContext); // as `askQuestions` makes it
}

function complaintAboutAnswers(item: RunToolApprovalItem, { source }: RunState<any, AnyAgent>, answers: Answers): string | undefined {
  try {
    checkedAnswers(source.scopeOf(item.id), item.agent, source.callOf(item.id)!, answers); // it waits
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}

/** Asks the tool itself, so that arguments that a person typed are refused before they are recorded. */
export async function complaintAbout(item: RunToolApprovalItem, input: string, context = new RunContext<any>()): Promise<string | undefined> { // `any`: whatever the agent wants
  try {
    JSON.parse(input);
  } catch (error) {
    return `This is no JSON: ${(error as SyntaxError).message}`; // all that JSON.parse throws
  }
  const tools = await item.agent.getAllTools(context);
  const tool = tools.find((one) => one.name === item.name);
  if (tool?.type !== 'function') return undefined;
  const parsed = tool.parseInput(input);
  return parsed.ok ? undefined : parsed.message;
}
