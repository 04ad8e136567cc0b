/** The conversation in a terminal: text streams above, the person types below, at any time. */
import type { ReadStream, WriteStream } from 'node:tty';
import type { RunToolApprovalItem } from '../../../actors/items.ts';
import type { RunEvent } from '../../../actors/runView.ts';
import type { Audience, Conversation, Ending, Verdict } from '../conversation.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { nearest } from '../nearest.ts';
import { CODES, VERDICTS } from '../piped.ts';
import { outputText } from '../plainOutput.ts';
import { Transcript } from '../transcript.ts';
import { callText, explained, messageText, requestText, secondsText, uncertaintyOf, usageText, wayOnText } from '../wording.ts';
import { type Asking, askAboutCall } from './approvals.ts';
import { Keyboard } from './keyboard.ts';
import { FRAME_MS, Progress } from './progress.ts';
import { askQuestions } from './questions.ts';
import { type Footer, Screen } from './screen.ts';
import { askAboutUncertain } from './uncertain.ts';

const COMMANDS = { '/help': 'this list', '/usage': 'tokens of the conversation so far', '/quit': 'leave (as Ctrl-D does)' } as const;
/** Longer than what tools get to end by themselves. */
const PATIENCE_MS = 1_000;
const LEAVE_HINT = 'Press Ctrl-C again to leave.';

export class Terminal implements Audience {
  readonly #screen: Screen;
  readonly #keyboard: Keyboard;
  readonly #transcript: Transcript;
  readonly #approve: 'all' | 'none' | undefined;
  readonly #showStacks: boolean;
  readonly #isRecorded: boolean;
  /** Without a question: where messages are typed, or nothing where none are taken. */
  #idlePrompt = '> ';
  #question: string | undefined;
  /** What is typed is not shown. */
  #isSecret = false;
  /** Lines typed while a run was going, each a message of its own. */
  #queue: string[] = [];
  #isPaused = false;
  #running: { controller: AbortController; progress: Progress } | undefined;
  #hasText = false;
  #saidLeaveHint = false;
  #left: ExitCode | undefined;
  #lastCode: ExitCode = EXIT.completed;
  #wake: () => void = () => undefined;
  #give: () => void = () => undefined;
  /** Resolves a while after the person has left: what still does not end is left behind. */
  readonly #gone = new Promise<void>((resolve) => (this.#give = resolve));

  /** @param options.isRecorded a run that waits for an answer outlives this process, and can be answered from another. */
  constructor({ input, out, approve, showStacks, isRecorded }: { input: ReadStream; out: WriteStream; approve: 'all' | 'none' | undefined; showStacks: boolean; isRecorded: boolean }) {
    this.#approve = approve;
    this.#showStacks = showStacks;
    this.#isRecorded = isRecorded;
    this.#screen = new Screen(out, () => this.#footer());
    this.#transcript = new Transcript(this.#screen);
    this.#keyboard = new Keyboard(input, {
      line: (text) => this.#typed(text.trim()),
      interrupt: () => this.interrupt(),
      end: () => this.leave(this.#codeOfLeaving()),
      changed: () => this.#left === undefined && this.#screen.draw(),
    });
    out.on('resize', () => this.#left === undefined && this.#screen.draw());
  }

  /** Talks until the person leaves. */
  async converse(conversation: Conversation, greeting: readonly string[]): Promise<ExitCode> {
    this.#greet(greeting);
    for (let text = await this.#next(); text !== undefined; text = await this.#next()) {
      if (text === '/usage') this.#screen.line(`  ${usageText(conversation.spent)}`, 'quiet');
      else await Promise.race([this.#turn(text, (controller) => conversation.say(text, controller)), this.#gone]);
    }
    this.#screen.close();
    return this.#left ?? this.#lastCode;
  }

  /** Shows one run, and leaves when it has ended or waits. */
  async watch(play: (controller: AbortController) => Promise<unknown>, { greeting, message }: { greeting: readonly string[]; message: string }): Promise<ExitCode> {
    this.#idlePrompt = '';
    this.#greet(greeting);
    await Promise.race([this.#turn(message, play), this.#gone]);
    this.leave(this.#lastCode);
    this.#screen.close();
    return this.#left ?? this.#lastCode;
  }

  /** Ends the conversation; what is going is interrupted, unless it waits for an answer and can do so without us. */
  leave(code: ExitCode): void {
    if (this.#left !== undefined) return;
    this.#left = code;
    if (!this.#leavesQuestion) this.#running?.controller.abort();
    this.#keyboard.close();
    this.#wake();
    setTimeout(this.#give, PATIENCE_MS);
  }

  /** Ctrl-C: ends the run that is going; once more, or with no run twice, the conversation. */
  interrupt(): void {
    const { controller } = this.#running ?? {};
    if (controller && !controller.signal.aborted) return controller.abort();
    if (controller || this.#saidLeaveHint) return this.leave(EXIT.interrupted);
    this.#keyboard.fill('');
    this.#saidLeaveHint = true;
    this.#screen.draw();
  }

  // -- what the run says -------------------------------------------------------------------------------------------------

  event(event: RunEvent): void {
    this.#running?.progress.add(event);
    if (event.type === 'delta' || (event.type === 'item.completed' && event.item && messageText(event.item) !== '')) this.#hasText = true;
    this.#transcript.add(event);
  }

  recall(event: RunEvent): void {
    this.#running?.progress.add(event);
    this.#transcript.recall(event);
  }

  async decide(item: RunToolApprovalItem, complaintAbout: (input: string) => Promise<string | undefined>): Promise<Verdict> {
    if (this.#left !== undefined) return { decision: 'cancel' };
    if (this.#approve && item.uncertain) {
      this.#screen.line(`  ? ${uncertaintyOf(item)}: left waiting, because --approve does not say what became of it`, 'notice');
      return { decision: 'leave' };
    }
    if (this.#approve === 'all' && item.questions) {
      this.#screen.line(`  ? ${requestText(item)}: left waiting, because --approve answers nothing`, 'notice');
      return { decision: 'leave' };
    }
    if (this.#approve) {
      this.#screen.line(`  ? ${callText(item.name ?? 'a tool', item.rawItem)}: ${this.#approve === 'all' ? 'approved' : 'rejected'} by --approve`, 'notice');
      return VERDICTS[this.#approve];
    }
    const asking: Asking = {
      tell: (text, tone) => this.#screen.line(`  ${text}`, tone),
      ask: (prompt, prefilled, isSecret) => this.#ask(prompt, prefilled, isSecret),
    };
    const verdict = item.uncertain ? await askAboutUncertain(item, asking) : await (item.questions ? askQuestions : askAboutCall)(item, complaintAbout, asking);
    return verdict.decision === 'cancel' && this.#hasLeft && !this.#running?.controller.signal.aborted ? { decision: 'leave' } : verdict;
  }

  get #hasLeft(): boolean {
    return this.#left !== undefined;
  }

  get #leavesQuestion(): boolean {
    return this.#isRecorded && this.#keyboard.isAsking;
  }

  settled(ending: Ending): void {
    this.#running = undefined;
    this.#lastCode = CODES[ending.status];
    this.#screen.line('');
    if (ending.status === 'completed' && !this.#hasText && ending.output !== undefined) this.#screen.line(outputText(ending.output));
    if (ending.status === 'failed') this.trouble(ending.error);
    if (ending.status === 'interrupted') this.#screen.line('  interrupted', 'notice');
    if (ending.wayOn !== undefined && (ending.status !== 'interrupted' || this.#hasLeft || this.#idlePrompt === '')) this.#screen.unbroken(`  ${wayOnText(ending)}`, 'notice');
    this.#screen.line(`  ${ending.agent}: ${usageText(ending.spent)}, ${secondsText(ending.ms)}`, 'quiet');
    this.#screen.space();
  }

  trouble(error: unknown): void {
    this.#screen.line(`Error: ${explained(error)}`, 'bad');
    if (this.#showStacks && error instanceof Error && error.stack) this.#screen.line(error.stack, 'quiet');
  }

  /** What the user's own code prints must not tear the rows below. */
  print(text: string): void {
    this.#screen.line(text);
  }

  #greet(greeting: readonly string[]): void {
    for (const line of greeting) line.includes('loopchart ') ? this.#screen.unbroken(line, 'quiet') : this.#screen.line(line, 'quiet');
    this.#screen.space();
  }

  // -- what the person does ----------------------------------------------------------------------------------------------

  /** @param play never rejects; how it ended comes by `settled`. */
  async #turn(text: string, play: (controller: AbortController) => Promise<unknown>): Promise<void> {
    if (text !== '') this.#screen.line(`> ${text}`, 'person');
    this.#hasText = false;
    const controller = new AbortController();
    this.#running = { controller, progress: new Progress() };
    const frames = setInterval(() => this.#left === undefined && this.#screen.draw(), FRAME_MS);
    await play(controller);
    clearInterval(frames);
    // After trouble nothing goes on by itself: what waits is offered for another look.
    this.#isPaused = this.#lastCode !== EXIT.completed && this.#queue.length > 0;
    if (this.#isPaused && this.#keyboard.text === '' && this.#left === undefined) this.#keyboard.fill(this.#queue.shift()!);
  }

  async #next(): Promise<string | undefined> {
    for (;;) {
      if (this.#left !== undefined) return undefined;
      const waiting = this.#isPaused ? undefined : this.#queue.shift();
      if (waiting !== undefined) return waiting;
      this.#screen.draw();
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #typed(text: string): void {
    this.#saidLeaveHint = false;
    if (this.#idlePrompt === '') return this.#screen.line('  Messages are taken by loopchart chat, when this run is over.', 'quiet');
    if (text === '/quit') return this.leave(this.#codeOfLeaving());
    if (text === '/help') return this.#help();
    if (/^\/[a-z]+$/i.test(text) && text !== '/usage') {
      const meant = nearest(text, Object.keys(COMMANDS));
      return this.#screen.line(`  There is no command ${text}.${meant ? ` Did you mean ${meant}?` : ' See /help.'}`, 'bad');
    }
    // The first of the lines that were held came back into the input, and keeps its place.
    if (text !== '') this.#queue.splice(this.#isPaused ? 0 : this.#queue.length, 0, text);
    this.#isPaused = false;
    this.#screen.draw();
    this.#wake();
  }

  #codeOfLeaving(): ExitCode {
    if (this.#leavesQuestion) return EXIT.approvalMissing;
    return this.#running ? EXIT.interrupted : this.#lastCode;
  }

  #help(): void {
    for (const [command, meaning] of Object.entries(COMMANDS)) this.#screen.line(`  ${command.padEnd(8)} ${meaning}`, 'quiet');
    this.#screen.line('  Ctrl-C interrupts a run, and twice leaves. What you type while the agent works is sent after.', 'quiet');
  }

  async #ask(prompt: string, prefilled?: string, isSecret = false): Promise<string | undefined> {
    this.#question = prompt;
    this.#isSecret = isSecret;
    const answering = this.#keyboard.ask(prefilled);
    this.#screen.draw();
    const answer = await answering;
    this.#question = undefined;
    this.#isSecret = false;
    this.#screen.line(`  ${prompt}${answer === undefined ? '(cancelled)' : isSecret ? '(not shown)' : answer}`, 'quiet');
    return answer;
  }

  #footer(): Footer {
    const rows: Footer['rows'] = this.#queue.slice(0, 3).map((text) => ({ text: `  queued: ${text}`, tone: 'quiet' }));
    if (this.#queue.length > 3) rows.push({ text: `  and ${this.#queue.length - 3} more`, tone: 'quiet' });
    if (this.#isPaused && this.#queue.length > 0) rows.push({ text: '  Waiting lines are held; Enter sends them.', tone: 'notice' });
    if (this.#running && !this.#keyboard?.isAsking) rows.push({ text: this.#running.progress.text(), tone: 'quiet' });
    if (this.#saidLeaveHint) rows.push({ text: LEAVE_HINT, tone: 'notice' });
    const typed = this.#keyboard?.text ?? '';
    return { rows, prompt: this.#question ?? this.#idlePrompt, input: this.#isSecret ? '*'.repeat(typed.length) : typed, cursor: this.#keyboard?.cursor ?? 0 };
  }
}
