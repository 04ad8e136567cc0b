/** A conversation: one run a message, over one session. Who listens, and who is asked, is the audience's business. */
import type { Agent } from '../../actors/agent.ts';
import type { RunToolApprovalItem } from '../../actors/items.ts';
import { MemorySession } from '../../actors/memorySession.ts';
import type { StreamedRunResult } from '../../actors/result.ts';
import type { Runner } from '../../actors/run.ts';
import type { RunState } from '../../actors/runState.ts';
import type { RunEvent } from '../../actors/runView.ts';
import { Usage } from '../../actors/usage.ts';
import type { Spent } from './wording.ts';

type AnyAgent = Agent<any, any>; // `any`: a user's agent may have any context and output

/** The answer to a call that waits. `cancel` refuses it and ends the run. */
export type Verdict =
  | { decision: 'approve'; arguments?: string; always?: boolean }
  | { decision: 'reject'; message?: string }
  | { decision: 'cancel' };

export type Ending = { agent: string; spent: Spent; ms: number } & (
  | { status: 'completed'; output: unknown }
  | { status: 'failed'; error: unknown }
  | { status: 'interrupted' }
);

export interface Audience {
  event(event: RunEvent): void;
  /** Asks about a call. `complaintAbout` says what is wrong with arguments that a person has changed, if anything is. */
  decide(item: RunToolApprovalItem, complaintAbout: (input: string) => Promise<string | undefined>): Promise<Verdict>;
  settled(ending: Ending): void;
}

export class Conversation {
  readonly #runner: Runner;
  readonly #model: string | undefined;
  readonly #audience: Audience;
  readonly #holdsText: boolean;
  readonly #session = new MemorySession();
  readonly #total = new Usage();
  /** Calls a person has approved for the rest of the conversation, as agent and tool. */
  #always: ReadonlySet<string> = new Set();
  #agent: AnyAgent;

  /** @param options.model for every agent, whatever it says itself. */
  constructor({ agent, runner, model, audience }: { agent: AnyAgent; runner: Runner; model?: string; audience: Audience }) {
    this.#agent = agent;
    this.#runner = runner;
    this.#model = model;
    this.#audience = audience;
    this.#holdsText = guardsOutput(agent, new Set());
  }

  get spent(): Spent {
    return this.#total;
  }

  /** One message, until it is answered. Never rejects: whatever became of the run, the next message goes on from there. */
  async say(text: string, controller: AbortController): Promise<Ending> {
    const began = Date.now();
    const heard = this.#hearing();
    let state: RunState<any, AnyAgent> | undefined;
    const facts = () => {
      const { requests = 0, inputTokens = 0, outputTokens = 0 } = state?.usage ?? {};
      return { agent: this.#agent.name, spent: { requests, inputTokens, outputTokens }, ms: Date.now() - began };
    };
    let ending: Ending;
    try {
      let result = await this.#run(text, controller, heard);
      for (;;) {
        state = result.state;
        await result.completed;
        if (result.cancelled || result.interruptions.length === 0) break;
        await this.#decide(result, controller);
        result = await this.#run(state, controller, heard);
      }
      this.#agent = result.state.currentAgent;
      ending = result.cancelled ? { ...facts(), status: 'interrupted' } : { ...facts(), status: 'completed', output: result.finalOutput };
    } catch (error) {
      // Everything a run can fail with, bugs in the user's agent included: told, and the conversation goes on.
      if (state) this.#agent = state.currentAgent;
      ending = { ...facts(), status: 'failed', error };
    }
    if (state) this.#total.add(state.usage);
    this.#audience.settled(ending);
    return ending;
  }

  #run(input: string | RunState<any, AnyAgent>, { signal }: AbortController, onEvent: (event: RunEvent) => void) {
    const options = { stream: true, session: this.#session, signal, model: this.#model, onEvent, bufferUntilGuarded: this.#holdsText } as const;
    return this.#runner.run(this.#agent, input, options);
  }

  /** A resumed run announces again what was heard before it waited; the numbers tell. */
  #hearing(): (event: RunEvent) => void {
    let last = 0;
    return (event) => {
      if (typeof event.number === 'number') {
        if (event.number <= last) return;
        last = event.number;
      }
      this.#audience.event(event);
    };
  }

  /** All are asked before any is told, so that a cancel also takes back what was approved a moment ago. */
  async #decide({ interruptions, state }: StreamedRunResult<any, AnyAgent>, controller: AbortController): Promise<void> {
    const verdicts: Verdict[] = [];
    const always = new Set(this.#always);
    for (const item of interruptions) {
      const verdict: Verdict = always.has(ruleOf(item)) ? { decision: 'approve' } : await this.#audience.decide(item, (input) => complaint(item, state, input));
      verdicts.push(verdict);
      if (verdict.decision === 'approve' && verdict.always) always.add(ruleOf(item));
      if (verdict.decision === 'cancel') controller.abort();
      if (controller.signal.aborted) break;
    }
    if (!controller.signal.aborted) this.#always = always;
    for (const [at, item] of interruptions.entries()) {
      const verdict = controller.signal.aborted ? undefined : verdicts[at];
      if (verdict?.decision !== 'approve') {
        state.reject(item, verdict?.decision === 'reject' ? { message: verdict.message } : {});
        continue;
      }
      state.approve(item, { arguments: verdict.arguments, alwaysApprove: verdict.always });
    }
  }
}

/** Text that a guardrail may yet withhold must not have been shown (E3). */
function guardsOutput(agent: AnyAgent, seen: Set<AnyAgent>): boolean {
  if (seen.has(agent)) return false;
  seen.add(agent);
  return agent.outputGuardrails.length > 0 || agent.handoffs.some((target) => guardsOutput('agent' in target ? target.agent : target, seen));
}

const ruleOf = (item: RunToolApprovalItem) => JSON.stringify([item.agent.name, item.name]);

/** Asks the tool itself, so that what a person typed is refused before it is recorded. */
async function complaint(item: RunToolApprovalItem, state: RunState<any, AnyAgent>, input: string): Promise<string | undefined> {
  try {
    JSON.parse(input);
  } catch (error) {
    return `This is no JSON: ${(error as SyntaxError).message}`; // all that JSON.parse throws
  }
  const tools = await item.agent.getAllTools(state.runContext);
  const tool = tools.find((one) => one.name === item.name);
  if (tool?.type !== 'function') return undefined;
  const parsed = tool.parseInput(input);
  return parsed.ok ? undefined : parsed.message;
}
