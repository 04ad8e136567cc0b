/** A run or a thread as people read it: what was said, answers as they stream, calls as they start and finish, notices. */
import type { RunEvent } from '../../actors/runView.ts';
import { isOwnCompaction } from '../../machines/compaction.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { ItemOrigin } from '../../machines/protocol/outcome.ts';
import type { RunSource } from '../../machines/protocol/thread.ts';
import { saidText } from './journal/entryText.ts';
import { goalText } from './thread/goal.ts';
import type { Tone } from './paint.ts';
import { callText, messageText, resultText, secondsText, shortened } from './wording.ts';

/** Where the words go. */
export interface Page {
  /** A piece of running text, as it comes. */
  text(piece: string): void;
  /** A line of its own; running text before it is ended. */
  line(text: string, tone?: Tone): void;
}

type Completed = Extract<RunEvent, { type: 'item.completed' }>;

export class Transcript {
  readonly #page: Page;
  /** Turns of which some text has streamed: their messages are on the page already. */
  readonly #streamed = new Set<string>();
  readonly #names = new Map<string, string>();
  #hasText = false;

  constructor(page: Page) {
    this.#page = page;
  }

  /** The run that is going, or went last, has said something. */
  get hasText(): boolean {
    return this.#hasText;
  }

  readonly add = (event: RunEvent): void => {
    const indent = '  '.repeat(1 + depthOf(event.path));
    switch (event.type) {
      case 'run.started':
        if (depthOf(event.path) === 0) this.#hasText = false;
        return;
      case 'input.accepted':
        return event.source && this.#begun(event.items, event.source);
      case 'input.delivered':
        for (const [at, item] of event.items.entries()) this.#delivered(item, event.origins?.[at], indent);
        return;
      case 'delta':
        if (event.data.type !== 'output_text_delta' || depthOf(event.path) > 0) return;
        this.#streamed.add(event.path);
        this.#hasText = true;
        return this.#page.text(event.data.delta);
      case 'tool.started':
        return this.#page.line(`${indent}→ ${callText(event.call.name, event.call.item, event.call.edited)}`, 'call');
      case 'item.started':
        if ('name' in event.item) this.#names.set(event.id, String(event.item.name));
        return;
      case 'item.completed':
        return this.#completed(event, indent);
      case 'turn.retrying':
        return this.#page.line(`${indent}trying again in ${secondsText(event.delayMs)}: ${shortened(event.failure.message, 160)}`, 'notice');
      case 'turn.retracted':
        return this.#page.line(`${indent}↻ the answer is cut short, and begins anew`, 'notice');
      case 'compaction.completed':
        return this.#page.line(`${indent}≡ summed up, ${event.before} tokens are ${event.after} now${summaryText(event.record.rawItem)}`, 'notice');
      case 'compaction.failed':
        return this.#page.line(`${indent}≡ not summed up, the conversation is as it was: ${shortened(event.failure.message, 160)}`, 'notice');
      case 'handoff.occurred':
        return this.#page.line(`${indent}⇒ ${event.agent} hands over to ${event.target}`, 'notice');
      case 'guardrail.tripped':
        return this.#page.line(`${indent}■ a guardrail stopped the run`, 'notice');
      case 'stopHook.objected':
        for (const { hook, text } of event.objections) this.#page.line(`${indent}↻ ${hook} objects${event.overruled ? ', in vain' : ''}: ${shortened(text, 160)}`, 'notice');
        return;
      case 'approval.resolved':
        if (event.decision === 'expired') this.#page.line(`${indent}? ${event.call.name}: nobody decided in time`, 'notice');
        return;
      case 'tool.late':
        return this.#page.line(`${indent}… what had been left behind has ended: ${shortened(plain(event.output))}`, 'notice');
      case 'goal.changed':
        return this.#page.line(`  ◎ ${goalChangeText(event)}`, 'notice');
      case 'thread.reverted':
        return this.#page.line(`  ↶ the conversation is back at ${event.to.runId === null ? 'its beginning' : `the end of run ${runNumber(event.to.runId)}`}`, 'notice');
      case 'run.settled':
        if (depthOf(event.path) > 0) return;
        this.#streamed.clear();
        this.#names.clear();
        return;
      default: // The rest says when, not what; the progress line and the JSON lines tell it.
        return;
    }
  };

  /** What is on another page: only the names of calls are kept, whose results may follow. */
  readonly recall = (event: RunEvent): void => {
    if (event.type === 'item.started') this.add(event);
  };

  #begun(items: readonly AgentInputItem[], { kind }: RunSource): void {
    if (kind === 'goal') return this.#page.line('  ◎ on with the goal', 'notice');
    for (const item of items) this.#said(saidText(item), kind === 'mail' ? '✉' : '>');
  }

  #delivered(item: AgentInputItem, origin: ItemOrigin | undefined, indent: string): void {
    if (typeof origin === 'object') return this.#page.line(`${indent}! ${shortened(saidText(item) || 'a notice', 160)}`, 'notice');
    this.#said(saidText(item), origin === 'mail' ? '✉' : '>');
  }

  #said(text: string, sign: string): void {
    if (text !== '') this.#page.line(`${sign} ${goalText(text)}`, 'person');
  }

  #completed({ id, path, item, status }: Completed, indent: string): void {
    if (item && messageText(item) !== '') {
      if (depthOf(path) > 0) return;
      this.#page.line(this.#streamed.has(path) ? '' : messageText(item));
      this.#hasText = true;
      return;
    }
    const name = this.#names.get(id);
    if (name === undefined || !isResult(id)) return;
    const sign = status === 'completed' ? '✓' : '✗';
    const said = shortened(resultText(item)) || WORDS[status] || status;
    this.#page.line(`${indent}${sign} ${name}: ${said}`, status === 'completed' ? 'good' : 'bad');
  }
}

/** Agents that are called as tools run inside of a call, or beside the run. */
export const depthOf = (path: string): number => path.match(/\/(?:run(?=\/|$)|background\.\d+)/g)?.length ?? 0;

/** The id of a call that this process carries out is its path. */
const isResult = (id: string) => /\/toolCall\.[^/]+$/.test(id);
const WORDS: Partial<Record<Completed['status'], string>> = { suspended: 'waits', aborted: 'aborted', declined: 'declined', completed: 'done', failed: 'failed' };
const plain = (value: unknown) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

/** `<threadId>/run.3` is the third run. */
export const runNumber = (runId: string): string => /\.(\d+)$/.exec(runId)?.[1] ?? runId;

function goalChangeText({ goal, why }: Extract<RunEvent, { type: 'goal.changed' }>): string {
  switch (why) {
    case 'set':
      return `the goal: ${goalText(goal?.message ?? '')}`;
    case 'goesOn':
      return `not reached yet; run ${goal?.runs ?? 1} of at most ${goal?.maxRuns ?? 1} begins`;
    case 'removed':
      return 'there is no goal any more';
    case 'done':
      return 'the goal is reached';
    case 'exhausted':
      return 'the goal was not reached within its runs';
    case 'failed':
      return 'whether the goal is reached could not be found out; it is given up';
  }
}

/** What a provider has summed up itself, only the provider can read. */
const summaryText = (item: AgentInputItem): string => (isOwnCompaction(item) ? `: ${shortened(item.encrypted_content, 300)}` : '');
