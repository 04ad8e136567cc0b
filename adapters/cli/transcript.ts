/** A run as people read it: answers as they stream, calls as they start and finish, notices. */
import type { RunEvent } from '../../actors/runView.ts';
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

  constructor(page: Page) {
    this.#page = page;
  }

  readonly add = (event: RunEvent): void => {
    const indent = '  '.repeat(1 + depthOf(event.path));
    switch (event.type) {
      case 'delta':
        if (event.data.type !== 'output_text_delta' || depthOf(event.path) > 0) return;
        this.#streamed.add(event.path);
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
      case 'handoff.occurred':
        return this.#page.line(`${indent}⇒ ${event.agent} hands over to ${event.target}`, 'notice');
      case 'guardrail.tripped':
        return this.#page.line(`${indent}■ a guardrail stopped the run`, 'notice');
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

  #completed({ id, path, item, status }: Completed, indent: string): void {
    if (item && messageText(item) !== '') {
      if (depthOf(path) === 0) this.#page.line(this.#streamed.has(path) ? '' : messageText(item));
      return;
    }
    const name = this.#names.get(id);
    if (name === undefined || !isResult(id)) return;
    const sign = status === 'completed' ? '✓' : '✗';
    const said = shortened(resultText(item)) || WORDS[status] || status;
    this.#page.line(`${indent}${sign} ${name}: ${said}`, status === 'completed' ? 'good' : 'bad');
  }
}

/** Agents that are called as tools run inside of a call. */
export const depthOf = (path: string): number => path.match(/\/run(?=\/|$)/g)?.length ?? 0;

/** The id of a call that this process carries out is its path. */
const isResult = (id: string) => /\/toolCall\.[^/]+$/.test(id);
const WORDS: Partial<Record<Completed['status'], string>> = { suspended: 'waits', aborted: 'aborted', declined: 'declined', completed: 'done', failed: 'failed' };
