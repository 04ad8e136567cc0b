/** One saying at one moment, and what comes of it. */
import type { ThreadEvent, ThreadLook } from 'loopchart/thread';
import { type PlayedThread, ThreadStage } from '../../support/threadScenario.ts';
import type { Moment } from './moments.ts';
import { type Saying, WORDS } from './sayings.ts';

export interface Observed {
  /** How it was taken. */
  answer: string;
  /** What had changed before any time had passed. */
  atOnce: string;
  /** When all has come to its end: every call approved, every clock run down. */
  inTheEnd: string;
}

export async function observe(moment: Moment, saying: Saying): Promise<Observed> {
  const stage = new ThreadStage();
  const thread = await moment.reach(stage);
  await stage.clock.settle();
  const before = thread.look;
  const told = thread.told.length;
  let answer = 'waits for the end';
  const said = saying.say(thread).then(({ status, reason }) => (reason === undefined ? status : `${status}: ${reason}`), (error: Error) => `throws ${error.name}`);
  void said.then((text) => { answer = text; });
  await stage.clock.settle();
  const isLate = answer === 'waits for the end';
  const atOnce = changesBetween(before, thread.look);
  await toTheEnd(thread, stage);
  const taken = `${await said}${isLate ? ' (when it is over)' : ''}`;
  await stage.end(undefined);
  return { answer: taken, atOnce, inTheEnd: ending(thread, told, before) };
}

async function toTheEnd(thread: PlayedThread, { clock }: ThreadStage): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    await clock.runAll();
    for (const call of thread.interruptions) await thread.approve(call).catch(() => undefined); // after a release nobody can
    if (thread.look.state !== 'active') break;
  }
  await clock.runAll();
}

const stateOf = ({ state, phase, activeRunId }: ThreadLook) => [state === 'active' ? phase : state, ...(activeRunId ? [activeRunId.split('/')[1]] : [])].join(' ');

function changesBetween(before: ThreadLook, now: ThreadLook): string {
  const counted = (what: string, was: number, is: number) => (is === was ? [] : [`${what} ${was}→${is}`]);
  const changes = [
    ...(stateOf(before) === stateOf(now) ? [] : [stateOf(now)]),
    ...counted('queue', before.queue.length, now.queue.length),
    ...(before.queue.length === now.queue.length && JSON.stringify(before.queue) !== JSON.stringify(now.queue) ? ['queue edited'] : []),
    ...counted('mailbox', before.mailbox.length, now.mailbox.length),
    ...counted('history', before.history.length, now.history.length),
    ...counted('rules', before.rules.length, now.rules.length),
    ...(before.goal === null && now.goal !== null ? ['goal'] : before.goal !== null && now.goal === null ? ['no goal'] : []),
  ];
  return changes.length === 0 ? '–' : changes.join(', ');
}

function ending(thread: PlayedThread, from: number, before: ThreadLook): string {
  const { look } = thread;
  const since = thread.told.slice(from);
  const known = new Set(before.runs.map(({ runId }) => runId));
  const runs = look.runs.filter(({ runId }) => !known.has(runId)).map(({ runId, source, status }) => `${runId.split('/')[1]} (${source.kind}) ${status}`);
  return [...runs, ...whereTheWordsAre(since, look), look.state, ...(look.queue.length > 0 ? [`queue ${look.queue.length}`] : []), ...(look.mailbox.length > 0 ? [`mailbox ${look.mailbox.length}`] : [])].join('; ');
}

function whereTheWordsAre(events: readonly ThreadEvent[], { queue, mailbox }: ThreadLook): string[] {
  const places = events.flatMap((event) => {
    if (!('ids' in event) || !event.ids.includes(WORDS)) return [];
    const where = event.path.split('/').slice(1).join('/');
    if (event.type === 'input.accepted') return event.source ? [`begins ${where}`] : [];
    if (event.type === 'input.delivered') return [`read in ${where}, turn ${event.turn}`];
    return event.type === 'input.dropped' ? [`given back: ${event.reason}`] : [];
  });
  return [...places, ...(queue.some(({ id }) => id === WORDS) ? ['waits in the queue'] : []), ...(mailbox.some(({ id }) => id === WORDS) ? ['waits in the mailbox'] : [])];
}
