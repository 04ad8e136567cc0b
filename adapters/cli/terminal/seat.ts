/** One thread, as the person at the terminal follows it. */
import type { Thread, ThreadEvent } from '../../../actors/thread/index.ts';
import { INTERRUPTED_NOTICE } from '../../../machines/history.ts';
import type { Ending } from '../conversation.ts';
import { saidText } from '../journal/entryText.ts';
import { isRunOf } from '../journal/replayed.ts';
import { goalText } from '../thread/goal.ts';
import type { ThreadListener } from '../thread/hearing.ts';
import { type Standing, underWay } from '../thread/standing.ts';
import { type Dropped, Steers } from '../thread/steers.ts';
import { Transcript } from '../transcript.ts';
import { messageText, shortened } from '../wording.ts';
import { Progress } from './progress.ts';
import type { Footer, Screen } from './screen.ts';

/** To whom the person's thread, and others that go on beside it, are of interest. */
export interface SeatOwner {
  readonly current: Seat;
  dropped(seat: Seat, dropped: readonly Dropped[]): void;
  settled(seat: Seat, ending: Ending): void;
  broke(seat: Seat, error: unknown): void;
  /** Something may wait for the person, or not any more. */
  changed(seat: Seat): void;
}

type QueueState = Extract<ThreadEvent, { type: 'queue.changed' }>['queue'];

export class Seat implements ThreadListener {
  readonly steers = new Steers();
  readonly #owner: SeatOwner;
  readonly #screen: Screen;
  readonly #transcript: Transcript;
  #thread: Thread | undefined;
  #progress: Progress | undefined;
  #state: Thread['state'] = 'idle';
  #phase: Thread['look']['phase'];
  #queue: QueueState = [];
  #isStopping = false;
  /** What the run that is going began with. */
  #message = '';

  constructor(owner: SeatOwner, screen: Screen) {
    this.#owner = owner;
    this.#screen = screen;
    this.#transcript = new Transcript(screen);
  }

  /** @param standing what it has told before, in another process. */
  take(thread: Thread, standing?: Standing): void {
    this.#thread = thread;
    for (const event of standing?.events ?? []) {
      this.steers.hear(event);
      this.#note(event);
      this.#transcript.recall(event);
    }
    this.#message = standing ? underWay(standing) : '';
    const { state, phase, queue } = thread.look;
    this.#state = state;
    this.#phase = phase;
    this.#queue = [...queue];
  }

  get thread(): Thread {
    if (!this.#thread) throw new Error('The seat has no thread yet.');
    return this.#thread;
  }

  get queue(): QueueState {
    return this.#queue;
  }

  get isActive(): boolean {
    return this.#state === 'active';
  }

  get hasText(): boolean {
    return this.#transcript.hasText;
  }

  event(event: ThreadEvent): void {
    this.#note(event);
    const dropped = this.steers.hear(event);
    if (this.#owner.current === this) this.#transcript.add(event);
    else this.#transcript.recall(event);
    if (dropped.length > 0) this.#owner.dropped(this, dropped);
    if (CHANGES.has(event.type)) this.#owner.changed(this);
  }

  settled(ending: Ending): void {
    this.#owner.settled(this, ending);
  }

  broke(error: unknown): void {
    this.#owner.broke(this, error);
  }

  /** It ends after its turn, as somebody has asked. */
  stops(): void {
    this.#isStopping = this.isActive;
  }

  rows(): Footer['rows'] {
    const rows: Footer['rows'] = [
      ...listed(this.steers.waiting.map(({ text }) => `  waiting: ${text}`)),
      ...listed(this.#queue.map(({ input }, at) => `  queued ${at + 1}: ${input.map(saidText).join(' ')}`)),
    ];
    if (this.#state === 'paused' && this.#queue.length > 0) rows.push({ text: '  The queue is held; /queue resume goes on with it.', tone: 'notice' });
    if (this.isActive && this.#isStopping) rows.push({ text: '  It stops after this turn.', tone: 'notice' });
    if (this.#progress && this.isActive && this.#phase !== 'awaitingApproval') rows.push({ text: this.#progress.text(), tone: 'quiet' });
    return rows;
  }

  /** What was said last, for somebody who comes to it. */
  recap(): void {
    const { history, runs, goal } = this.thread.look;
    this.#screen.line(`  thread ${this.thread.id}${runs.length === 0 ? '' : `, ${runs.length} ${runs.length === 1 ? 'run' : 'runs'}`}`, 'quiet');
    const last = history.findLastIndex((item) => !['', INTERRUPTED_NOTICE].includes(saidText(item))); // which nobody has said
    const answer = history.slice(Math.max(0, last)).map(messageText).findLast((text) => text !== '');
    if (last >= 0) this.#screen.line(`> ${saidText(history[last]!)}`, 'person');
    if (answer !== undefined) this.#screen.line(shortened(answer, 600));
    if (last >= 0) this.#screen.space();
    if (goal) this.#screen.line(`  ◎ the goal: ${goalText(goal.message)}`, 'notice');
    if (this.#message !== '') this.#screen.line(`> ${goalText(this.#message)}`, 'person');
  }

  #note(event: ThreadEvent): void {
    if (event.type === 'thread.changed') {
      if (event.state !== 'active') this.#progress = undefined;
      else this.#progress ??= new Progress();
      this.#state = event.state;
      this.#phase = event.phase;
    }
    if (event.type === 'input.accepted' && event.source) this.#message = event.items.map(saidText).join(' ');
    if (event.type === 'run.settled') this.#message = '';
    if (event.type === 'queue.changed') this.#queue = event.queue;
    if (event.type === 'run.started' && isRunOf(event.path.slice(0, event.path.lastIndexOf('/')), event.path)) {
      this.#progress = new Progress();
      this.#isStopping = false;
    }
    this.#progress?.add(event);
  }
}

const CHANGES: ReadonlySet<ThreadEvent['type']> = new Set(['thread.changed', 'approval.requested', 'approval.resolved', 'run.settled']);
const SHOWN = 3;

function listed(texts: readonly string[]): Footer['rows'] {
  const more = texts.length > SHOWN ? [`  and ${texts.length - SHOWN} more`] : [];
  return [...texts.slice(0, SHOWN), ...more].map((text) => ({ text, tone: 'quiet' }));
}
