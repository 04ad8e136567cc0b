/** A thread in the terminal: a line typed while it works steers it, commands do the rest, and calls that wait are asked about first. */
import type { Receipt, Thread } from '../../../actors/thread/index.ts';
import type { Ending } from '../conversation.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { ago } from '../journal/times.ts';
import { CODES } from '../piped.ts';
import { type House, type Opened, newThreadId } from '../thread/house.ts';
import type { ThreadListener } from '../thread/hearing.ts';
import type { Dropped } from '../thread/steers.ts';
import { explained } from '../wording.ts';
import { act, pointAt, refusalText } from './acts.ts';
import { COMMAND_HELP, type ChatCommand, commandIn } from './commands.ts';
import { Askings } from './askings.ts';
import type { Approve } from './deciding.ts';
import { tellEnding } from './ending.ts';
import { Seat, type SeatOwner } from './seat.ts';
import type { Footer } from './screen.ts';
import type { Occupant, Terminal } from './terminal.ts';

export interface ChatSetting {
  house: House;
  approve: Approve;
  /** The command that goes on with a thread in another process, where it is recorded. */
  wayOn?: (threadId: string) => string;
}

export class Chat implements Occupant, SeatOwner {
  readonly prompt = '> ';
  readonly #terminal: Terminal;
  readonly #setting: ChatSetting;
  /** Threads of this process, by id; those that are not at hand go on all the same. */
  readonly #seats = new Map<string, Seat>();
  #current: Seat | undefined;
  readonly #calling = new Set<Seat>();
  readonly #askings: Askings;
  /** Lines that were not delivered, to be sent again or not. */
  #offered: string[] = [];
  #lastCode: ExitCode = EXIT.completed;
  #carriedOut: Promise<void> = Promise.resolve();
  #windDown: () => void = () => undefined;
  readonly #unwound: Promise<void>;

  constructor(terminal: Terminal, setting: ChatSetting) {
    this.#terminal = terminal;
    this.#setting = setting;
    this.#askings = new Askings(terminal, setting.approve, () => {
      this.#askings.look(this.current.thread);
      this.#offerNext();
    });
    this.#unwound = new Promise<void>((resolve) => (this.#windDown = resolve)).then(() => this.#giveBack());
  }

  /** Talks until the person leaves. @param options.again goes on from what is there, without a word. */
  async converse(open: (listener: ThreadListener) => Promise<Opened>, { greeting, again }: { greeting: (thread: Thread) => readonly string[]; again: boolean }): Promise<ExitCode> {
    const terminal = this.#terminal;
    const seat = await this.#sit(open);
    terminal.occupy(this, greeting(seat.thread));
    if (seat.thread.look.runs.length > 0 || seat.isActive) seat.recap();
    this.changed(seat);
    if (again) this.#inTurn(async () => void (await seat.thread.run([]).receipt));
    await Promise.race([this.#unwound, terminal.gone]);
    terminal.close();
    return terminal.left ?? this.#lastCode;
  }

  get current(): Seat {
    if (!this.#current) throw new Error('Nobody sits here yet.');
    return this.#current;
  }

  // -- what threads tell -------------------------------------------------------------------------------------------------

  dropped(seat: Seat, dropped: readonly Dropped[]): void {
    const isHere = seat === this.#current;
    for (const { text, reason } of dropped) {
      this.#terminal.tell(`${isHere ? '' : `thread ${seat.thread.id}: `}not delivered, because ${reason}: ${text}`, 'notice');
      if (isHere) this.#offered.push(text);
    }
    this.#offerNext();
  }

  settled(seat: Seat, ending: Ending): void {
    if (seat !== this.#current) return this.#terminal.tell(`thread ${seat.thread.id}: ${ending.status}`, 'notice');
    this.#lastCode = CODES[ending.status];
    tellEnding(this.#terminal, ending, { hasText: seat.hasText, tellsWayOn: false });
    this.#offerNext();
  }

  broke(seat: Seat, error: unknown): void {
    this.#terminal.trouble(error);
    this.#seats.delete(seat.thread.id);
    if (seat !== this.#current) return;
    this.#lastCode = EXIT.failed;
    this.#terminal.leave(EXIT.failed);
  }

  changed(seat: Seat): void {
    if (seat === this.#current) {
      this.#terminal.animate(seat.isActive);
      this.#askings.look(seat.thread);
      this.#terminal.draw();
    } else this.#call(seat);
  }

  /** One that is not at hand and can only go on when the person decides says so once. */
  #call(seat: Seat): void {
    if (seat.thread.look.phase !== 'awaitingApproval') this.#calling.delete(seat);
    else if (!this.#calling.has(seat)) {
      this.#calling.add(seat);
      this.#terminal.tell(`thread ${seat.thread.id} waits for you: /threads ${seat.thread.id}`, 'notice');
    }
  }

  // -- what the person does ----------------------------------------------------------------------------------------------

  rows(): Footer['rows'] {
    const rows = this.#current?.rows() ?? [];
    if (this.#offered.length > 0) rows.unshift({ text: `  ${this.#offered.length} more not delivered; sent or cleared, the next one comes`, tone: 'notice' });
    return rows;
  }

  typed(text: string): void {
    const command = commandIn(text);
    if (command && 'complaint' in command) this.#terminal.tell(command.complaint, 'bad');
    else if (command) this.#inTurn(() => this.#carryOut(command));
    else if (this.#terminal.takesAnswer) this.#terminal.tell('A call waits for an answer first. /steer TEXT tells the agent something meanwhile.', 'bad');
    else if (text !== '') this.#say(text);
    this.#offerNext();
  }

  interrupt(): ReturnType<Occupant['interrupt']> {
    const { thread } = this.current;
    this.#offered = [];
    const { state, phase } = thread.look;
    if (state !== 'active') return 'nothing is going';
    if (phase === 'stopping' || phase === 'closing') return 'ends already';
    void this.#attempt(() => thread.interrupt());
    return 'ends';
  }

  left(): void {
    this.#windDown();
  }

  get codeOfLeaving(): ExitCode {
    if (this.#canWait(this.current)) return EXIT.approvalMissing;
    return this.current.isActive ? EXIT.interrupted : this.#lastCode;
  }

  /** What can be done at once is done: it steers what is going, or begins a run. */
  #say(text: string): void {
    this.#inTurn(async () => {
      const receipt: Receipt = await this.current.thread.run(text, { whenBusy: 'steer' }).receipt;
      if (receipt.status !== 'rejected') return;
      this.#terminal.tell(refusalText(receipt), 'bad');
      this.#offered.push(text);
      this.#offerNext();
    });
  }

  async #carryOut(command: ChatCommand): Promise<void> {
    const terminal = this.#terminal;
    switch (command.name) {
      case 'help':
        for (const [usage, meaning] of COMMAND_HELP) terminal.tell(`${usage.padEnd(14)} ${meaning}`, 'quiet');
        return terminal.tell('A line typed while the agent works steers it. Ctrl-C interrupts, and twice leaves.', 'quiet');
      case 'quit':
        return terminal.leave(this.codeOfLeaving);
      case 'close':
        return this.#closeThread();
      case 'threads':
        return command.id === undefined ? this.#listThreads() : this.#goTo(command.id);
      case 'fork':
        return this.#fork(command.run);
      default: // The others are about the thread alone.
        if (command.name === 'stop') this.current.stops();
        return act(this.current.thread, command, (text, tone) => terminal.tell(text, tone));
    }
  }

  /** Lines are carried out in the order in which they were typed: the next one may be about what this one does. */
  #inTurn(what: () => Promise<void>): void {
    this.#carriedOut = this.#carriedOut.then(() => this.#attempt(what));
  }

  /** Trouble with one thing that was asked for is told, and the chat goes on. */
  async #attempt(what: () => Promise<unknown>): Promise<void> {
    try {
      await what();
    } catch (error) {
      if (this.#terminal.left === undefined) this.#terminal.tell(explained(error), 'bad');
    }
  }

  #offerNext(): void {
    if (this.#terminal.hasDraft || this.#terminal.isAsking || this.#offered.length === 0) return;
    this.#terminal.offer(this.#offered.shift()!);
  }

  // -- threads -----------------------------------------------------------------------------------------------------------

  async #sit(open: (listener: ThreadListener) => Promise<Opened>): Promise<Seat> {
    const seat = new Seat(this, this.#terminal.screen);
    const { thread, standing, listen } = await open(seat);
    seat.take(thread, standing);
    this.#seats.set(thread.id, seat);
    this.#current ??= seat;
    listen();
    return seat;
  }

  #moveTo(seat: Seat): void {
    this.#askings.dismiss();
    this.#current = seat;
    seat.recap();
    this.changed(seat);
  }

  async #listThreads(): Promise<void> {
    for (const { runId, state, agent, updatedAt } of await this.#setting.house.list()) {
      this.#terminal.tell(`${runId === this.current.thread.id ? '*' : ' '} ${runId}  ${state}, ${agent}, ${ago(updatedAt, Date.now())}`, 'quiet');
    }
  }

  async #goTo(given: string): Promise<void> {
    const all = (await this.#setting.house.list()).map(({ runId }) => runId);
    const found = all.includes(given) ? [given] : all.filter((id) => id.startsWith(given));
    const [id] = found;
    if (id === undefined) return this.#terminal.tell(`There is no thread ${given}. See /threads.`, 'bad');
    if (found.length > 1) return this.#terminal.tell(`${given} is the beginning of ${found.length} threads; give more of the one you mean.`, 'bad');
    if (id === this.current.thread.id) return this.#terminal.tell('You are there.', 'quiet');
    this.#moveTo(this.#seats.get(id) ?? (await this.#sit((listener) => this.#setting.house.open(id, listener))));
  }

  async #fork(run: number | undefined): Promise<void> {
    const { thread } = this.current;
    const at = run === undefined ? undefined : pointAt(thread, run);
    if (typeof at === 'string') return this.#terminal.tell(at, 'bad');
    const seat = await this.#sit((listener) => this.#setting.house.fork(thread, at, newThreadId(), listener));
    this.#terminal.tell(`${thread.id} is left as it is; you go on in its fork ${seat.thread.id}`, 'notice');
    this.#moveTo(seat);
  }

  async #closeThread(): Promise<void> {
    const { thread } = this.current;
    await thread.close();
    this.#terminal.tell(`thread ${thread.id} is closed`, 'notice');
    this.#terminal.leave(this.#lastCode);
  }

  // -- leaving -----------------------------------------------------------------------------------------------------------

  /** What only waits for an answer can do so where others find it. */
  #canWait({ thread }: Seat): boolean {
    return this.#setting.wayOn !== undefined && thread.look.phase === 'awaitingApproval';
  }

  async #giveBack(): Promise<void> {
    await Promise.all([...this.#seats.values()].map((seat) => this.#attempt(() => this.#leave(seat))));
  }

  async #leave(seat: Seat): Promise<void> {
    const { thread } = seat;
    const waits = this.#canWait(seat);
    if (!waits && thread.state === 'active') await thread.interrupt();
    await new Promise((resolve) => setImmediate(resolve)); // what it has told is told first
    const { queue, runs, state } = thread.look;
    const isOpen = waits || queue.length > 0 || (state !== 'closed' && runs.length > 0 && runs.at(-1)?.status !== 'completed');
    const { wayOn } = this.#setting;
    if (wayOn && isOpen) this.#terminal.screen.unbroken(`  ${waits ? 'It waits for a person' : 'Go on with it'}: ${wayOn(thread.id)}`, 'notice');
    await thread.release();
  }
}
