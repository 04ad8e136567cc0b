/** A thread with nobody at a terminal: every line of the input is a run, one after the other. */
import { createInterface } from 'node:readline';
import type { Thread, ThreadEvent } from '../../../actors/thread/index.ts';
import type { Ending } from '../conversation.ts';
import { CliError, EXIT, type ExitCode, worse } from '../exit.ts';
import { AbsentPerson, CODES, type Writer } from '../piped.ts';
import { isTripwire } from '../recording.ts';
import { refusalText } from '../terminal/acts.ts';
import { explained } from '../wording.ts';
import { type ThreadListener, spentIn } from './hearing.ts';
import type { Opened } from './house.ts';
import { underWay } from './standing.ts';
import { tellThread } from './telling.ts';

interface PipedOptions {
  writer: Writer;
  person: AbsentPerson;
  /** The command that goes on with it, where it is recorded; `again` after an end that was none. */
  wayOn?: (threadId: string, again: boolean) => string;
}

export class PipedThread implements ThreadListener {
  readonly #options: PipedOptions;
  readonly #began = Date.now();
  /** Calls that wait, and that nobody here decides about. */
  readonly #leftAlone = new Set<string>();
  readonly #ruled = new Set<string>();
  #thread: Thread | undefined;
  #message = '';
  #isBroken = false;
  #code: ExitCode = EXIT.completed;
  #wake: () => void = () => undefined;

  constructor(options: PipedOptions) {
    this.#options = options;
  }

  take({ thread, standing, listen }: Opened): void {
    this.#thread = thread;
    for (const event of standing?.events ?? []) this.#options.writer.recall(event);
    this.#message = standing ? underWay(standing) : '';
    listen();
  }

  get thread(): Thread {
    if (!this.#thread) throw new Error('The thread is not open yet.');
    return this.#thread;
  }

  /** How it went so far, as a shell sees it. */
  get code(): ExitCode {
    return worse(this.#code, this.#options.person.wasMissed ? EXIT.approvalMissing : EXIT.completed);
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** The command that goes on with it, should this process end now. */
  get wayOn(): string | undefined {
    const { state, queue } = this.thread.look;
    return this.#isBroken || (state !== 'active' && queue.length === 0) ? undefined : this.#options.wayOn?.(this.thread.id, false);
  }

  /** It waits for a person, and none is here. */
  get waits(): boolean {
    return this.thread.look.phase === 'awaitingApproval' && this.thread.interruptions.every(({ id }) => this.#leftAlone.has(id));
  }

  // -- what the thread tells ---------------------------------------------------------------------------------------------

  event(event: ThreadEvent): void {
    this.#options.writer.event(event);
    if (event.type === 'approval.requested') void this.#decide(event.id);
    if (event.type === 'thread.changed') this.#wake();
  }

  settled(ending: Ending): void {
    const { runId: _runId, ...rest } = ending;
    const { wayOn } = this.#options;
    const again = wayOn && ending.status !== 'completed' && !(ending.status === 'failed' && isTripwire(ending.error));
    this.#code = worse(this.#code, CODES[ending.status]);
    this.#options.writer.settled(wayOn ? { ...ending, ...(again && { wayOn: wayOn(this.thread.id, true) }) } : rest);
    this.#wake();
  }

  broke(error: unknown): void {
    this.#isBroken = true;
    this.#code = EXIT.failed;
    this.#options.writer.trouble(error);
    this.#wake();
  }

  // -- what it is told ---------------------------------------------------------------------------------------------------

  /** What was said in another process and is not answered yet, for people: programs have read it. */
  recall(): void {
    if (this.#message !== '') this.#options.writer.said(this.#message);
  }

  /** Resolves when the run has ended, or waits. What comes while an earlier run waits is queued behind it. */
  async say(text: string): Promise<void> {
    const { writer } = this.#options;
    writer.said(text);
    const isQueued = this.waits;
    const receipt = await this.thread.run(text).receipt.catch(() => undefined); // whoever listens hears why
    if (receipt?.status === 'rejected') {
      this.#code = EXIT.failed;
      writer.trouble(new CliError(refusalText(receipt)));
    }
    if (!isQueued) await this.ended();
  }

  /** Goes on from what is there, without a word. */
  async goOn(): Promise<void> {
    await this.thread.run([]).receipt.catch(() => undefined); // as above
    await this.ended();
  }

  /** Resolves when nothing is going, or only a person could make it go on: that is told. */
  async ended(): Promise<void> {
    for (const { id } of this.thread.interruptions) void this.#decide(id); // announced in another process
    while (!this.#isBroken && this.thread.state === 'active' && !this.waits) await new Promise<void>((resolve) => (this.#wake = resolve));
    await new Promise((resolve) => setImmediate(resolve)); // what it has told is written first
    if (!this.#isBroken && this.waits) this.#tellWaiting();
  }

  async interrupt(): Promise<void> {
    await this.thread.interrupt().catch(() => undefined); // as above
  }

  async release(): Promise<void> {
    await this.thread.release().catch(() => undefined); // as above
  }

  #tellWaiting(): void {
    const { look, id } = this.thread;
    const { wayOn } = this.#options;
    this.#code = worse(this.#code, EXIT.approvalMissing);
    const facts = { agent: look.agent, spent: spentIn(this.thread), ms: Date.now() - this.#began };
    this.#options.writer.settled({ ...facts, status: 'waiting', ...(wayOn && { runId: look.activeRunId, wayOn: wayOn(id, false) }) });
  }

  async #decide(id: string): Promise<void> {
    const item = this.thread.interruptions.find((one) => one.id === id);
    if (!item || this.#ruled.has(id)) return; // decided meanwhile
    this.#ruled.add(id);
    const { ruling, verdict } = this.#options.person.rule(item);
    this.#options.writer.ruled(item, ruling);
    if (verdict.decision === 'leave') this.#leftAlone.add(id);
    try {
      await tellThread(this.thread, item, verdict);
    } catch (error) {
      this.#options.writer.trouble(new CliError(explained(error)));
    }
    this.#wake();
  }
}

/** Says line after line until the input ends or says `/quit`. `stop` interrupts the run that is going and ends the conversation. */
export async function sayLines(piped: PipedThread, { stop }: { stop: AbortSignal }, input: NodeJS.ReadableStream = process.stdin): Promise<ExitCode> {
  const interrupt = () => void piped.interrupt();
  stop.addEventListener('abort', interrupt, { once: true });
  await piped.ended(); // what an earlier process has left
  if (stop.aborted) return EXIT.interrupted;
  const lines = createInterface({ input, crlfDelay: Infinity }); // not before: it does not keep what nobody reads
  const end = () => lines.close();
  stop.addEventListener('abort', end, { once: true });
  try {
    for await (const line of lines) {
      if (stop.aborted || piped.isBroken || line.trim() === '/quit') break;
      if (line.trim() !== '') await piped.say(line);
    }
  } finally {
    for (const listener of [interrupt, end]) stop.removeEventListener('abort', listener);
    lines.close();
  }
  return stop.aborted ? EXIT.interrupted : piped.code;
}
