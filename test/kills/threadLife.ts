/** What a process does with a thread: it opens it, or makes it, says what nobody is known to have heard, and closes it when nothing is left to do. */
import { type Journal, type RunEvent, readEvents } from '../../index.ts';
import { type Receipt, type Thread, createThread, openThread } from '../../actors/thread/index.ts';
import { castOf } from './cast.ts';
import { digestOf } from './chance.ts';
import { Ear } from './ear.ts';
import type { Life } from './life.ts';
import { SUM_UP } from './model.ts';
import { Person } from './person.ts';
import type { Occasion, ThreadPlan, Word } from './threadPlan.ts';
import { COMMANDS, type Said, say } from './words.ts';

/** Ends when the thread is closed, or waits for a person who will only come to another process. */
export async function liveThread(life: Life, plan: ThreadPlan, isFound: boolean): Promise<void> {
  if (life.over.has(plan.threadId)) return;
  const thread = new ThreadLife(life, plan);
  await thread.open(isFound);
  await thread.live();
}

/** What a thread was told before, as its journal has it. */
interface Known { id: string; command: string; text: string; status: string }

class ThreadLife {
  readonly #life: Life;
  readonly #plan: ThreadPlan;
  readonly #known: Known[] = [];
  #thread!: Thread;
  #ear!: Ear;

  constructor(life: Life, plan: ThreadPlan) {
    this.#life = life;
    this.#plan = plan;
  }

  async open(isFound: boolean): Promise<void> {
    const { journal, world, plan } = this.#life;
    const { threadId, checkpointEvery } = this.#plan;
    const { host } = castOf(plan, world);
    const options = { journal, checkpointEvery, compaction: { prompt: SUM_UP } };
    if (isFound) await this.#recall(journal, host);
    this.#thread = isFound ? await openThread(threadId, { ...options, agents: host }) : createThread(host, { ...options, threadId });
    this.#ear = new Ear(this.#thread, ({ number, ...event }) => void (typeof number === 'number' && world.ledger.note({ what: 'tells', run: threadId, number, digest: eventDigest(event) })));
  }

  /** Nobody else has it by now: what is read here is what is opened. */
  async #recall(journal: Journal, host: ReturnType<typeof castOf>['host']): Promise<void> {
    const { threadId: run } = this.#plan;
    const entries = await journal.read(run);
    await this.#note({ what: 'found', run, length: entries.length });
    const events: RunEvent[] = [];
    for await (const event of readEvents(run, { journal, agents: host })) events.push(event);
    await this.#note({ what: 'retells', run, count: events.length, digest: digestOf(events.map(({ number: _number, ...event }) => eventDigest(event)).join(' ')) });
    const answers = new Map(events.flatMap((event) => (event.type === 'command.answered' ? [[event.id, event.answer.status] as const] : [])));
    for (const entry of entries) {
      if (entry.type === 'command' && 'id' in entry.command) this.#known.push({ id: entry.command.id, command: entry.command.type, text: JSON.stringify(entry.command), status: answers.get(entry.command.id) ?? 'none' });
    }
  }

  async live(): Promise<void> {
    const { decidesAtOnce, words } = this.#plan;
    const person = new Person(this.#life, this.#thread);
    person.decideAll();
    if (decidesAtOnce) this.#ear.onEvent((event) => void (event.type === 'approval.requested' && person.decide(event.id)));
    for (const word of words) if (!this.#life.over.has(word.id)) await this.#sayOnce(word);
    await person.isDone;
    if (await this.#emptied()) await this.#close();
    else await this.#thread.release();
    person.leave();
  }

  async #sayOnce(word: Word): Promise<void> {
    const recorded = this.#known.find(({ id, command, text }) => command === COMMANDS[word.kind] && (id === word.id || text.includes(`${word.id}"`)));
    if (recorded) return this.#note({ what: 'hears', run: this.#plan.threadId, id: word.id, kind: word.kind, status: recorded.status, by: 'journal' });
    if (this.#thread.state === 'closed') return;
    await this.#ear.until((event) => this.#isOccasion(word.when, event));
    await this.#told(word.id, word.kind, () => say(this.#thread, word));
  }

  async #told(id: string, kind: Said, saying: () => Promise<Receipt>): Promise<void> {
    const line = { run: this.#plan.threadId, id, kind };
    await this.#note({ what: 'speaks', ...line });
    const { status } = await saying();
    await this.#note({ what: 'hears', ...line, status, by: 'receipt' });
  }

  readonly #isOccasion = (when: Occasion, event: RunEvent | undefined): boolean => when === 'now' || event?.type === when || this.#isAtRest();
  readonly #isAtRest = (): boolean => this.#thread.state !== 'active' || this.#thread.look.phase === 'awaitingApproval';

  /** Says go on until nothing waits. @returns false when all that is left to do is the person's. */
  async #emptied(): Promise<boolean> {
    const thread = this.#thread;
    for (let round = 0; thread.state !== 'closed'; round += 1) {
      await this.#ear.until(() => this.#isLeft() || (thread.state !== 'active' && thread.look.background.length === 0 && thread.interruptions.length === 0));
      if (this.#isLeft()) return false;
      const isEmpty = thread.queue.list().length === 0 && !thread.look.mailbox.some(({ triggerTurn }) => triggerTurn);
      if (isEmpty) return true;
      await this.#told(`${thread.id}.on${round}`, 'resume', () => thread.queue.resume());
    }
    return true;
  }

  readonly #isLeft = (): boolean => !this.#plan.decidesAtOnce && this.#thread.interruptions.length > 0 && this.#isAtRest();

  async #close(): Promise<void> {
    const thread = this.#thread;
    const { threadId } = this.#plan;
    if (thread.state !== 'closed') await this.#told(`${threadId}.close`, 'close', () => thread.close());
    const { queue, mailbox } = thread.look;
    await this.#note({ what: 'closed', run: threadId, queue: queue.map(({ id }) => id), mailbox: mailbox.map(({ id }) => id) });
    await thread.release();
  }

  #note(line: Parameters<Life['world']['ledger']['note']>[0]): Promise<void> {
    return this.#life.world.ledger.note(line);
  }
}

/** What counts of an event, however it was had: not the order of its fields. */
export const eventDigest = (event: object): string => digestOf(JSON.stringify(event, (_key, value: unknown) => (isFields(value) ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))) : value)));
const isFields = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);
