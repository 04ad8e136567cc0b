/** A thread with its runs, told whatever it may be told, in every order. */
import type { AgentInputItem } from '../../../machines/protocol/item.ts';
import type { RecordedOutcome } from '../../../machines/protocol/journal.ts';
import type { ThreadCommand } from '../../../machines/protocol/thread.ts';
import type { ThreadContext } from '../../../machines/threadMemory.ts';
import { THREAD, THREAD_VERSIONS } from '../../../actors/thread/hosted.ts';
import { type ThreadEvent } from '../../../actors/thread/types.ts';
import { threadProblems } from '../../scenarios/support/threadInvariants.ts';
import { AT, asked, callOf, preparedFor } from '../samples.ts';
import { badApprovals, badRequests, crashed, disorderIn, repeatedBodies, unapprovedBodies } from './invariants.ts';
import { done, helped } from './scenarios.ts';
import type { Territory } from './walk.ts';
import type { Begun, Op, Root, World } from './world.ts';

/** Each at any point, once. `resume` only where the thread is paused. */
export const WORDS = ['steer', 'queue', 'interrupt', 'softStop', 'mail', 'compact', 'resume'] as const;
export type Word = (typeof WORDS)[number];

const THREAD_ID = 'thread';
const TOLD: Record<Word, ThreadCommand> = {
  steer: { type: 'thread.steer', id: 'steer', at: AT, input: [{ id: 'steer', item: asked('steered') }] },
  queue: { type: 'queue.add', id: 'queue', at: AT, entry: { id: 'queue', input: [asked('queued')] } },
  interrupt: { type: 'thread.interrupt', id: 'interrupt', at: AT },
  softStop: { type: 'thread.softStop', id: 'softStop', at: AT },
  mail: { type: 'thread.mail', id: 'mail', at: AT, mail: { id: 'mail', from: 'host', content: 'mailed', triggerTurn: true } },
  compact: { type: 'thread.compact', id: 'compact', at: AT },
  resume: { type: 'queue.resume', id: 'resume', at: AT },
};

const root: Root = {
  id: THREAD_ID,
  chart: THREAD,
  async start(host) {
    await host.start({ path: THREAD_ID, agent: 'triage' }, THREAD_VERSIONS);
    host.tell({ type: 'thread.run', id: 'run', at: AT, input: [asked('hello')], whenBusy: 'queue' });
  },
};

/** The first run looks and asks a helper, whose call waits for a person, and then answers; all others answer at once. */
const calls = [callOf(0), callOf(1, { delegates: true }, { name: 'helper' })];

function ends(effect: Begun): RecordedOutcome[] {
  const { src, input, id } = effect;
  const isNested = id.includes('/toolCall.');
  if (src === 'prepare') return [done(preparedFor(isNested ? 'helper' : 'triage', { history: [], input: input.input.given ?? [], maxTurns: 4 }))];
  if (src === 'model' && !isNested && !id.startsWith(`${THREAD_ID}/run.1/`)) return helped(effect, []).slice(0, 1);
  return helped(effect, calls);
}

/** Of a thread that is told these words, and no others. */
export function threadTerritory(words: readonly Word[]): Territory {
  return {
    root,
    nextOps: (world) => [
      ...world.open.flatMap((effect) => ends(effect).map((outcome): Op => ({ kind: 'end', id: effect.id, outcome }))),
      ...world.timers.map((handle): Op => ({ kind: 'fire', id: String(handle) })),
      ...world.host.openDecisions.flatMap(({ id }) => (['approve', 'reject'] as const).map((decision): Op => ({ kind: 'decide', id, decision: { decision } }))),
      ...words.filter((word) => !isSaid(world, word) && (word !== 'resume' || world.host.value === 'paused')).map((word): Op => ({ kind: 'tell', command: TOLD[word] })),
    ],
    marks: (world) => words.filter((word) => isSaid(world, word)).join(),
    endOf: ({ host }) => (typeof host.value === 'string' ? host.value : undefined),
    complaintsAbout: (world) => [...crashed(world), ...badRequests(world), ...unapprovedBodies(world), ...repeatedBodies(world), ...badHistory(world), ...wrongWord(world)],
    complaintsAboutStep: (world, { begun }) => world.begun.slice(begun).filter(({ id }) => isOfRunThatIsOver(world, id)).map(({ id }) => `J4: ${id} began, and its run is over`),
    complaintsAboutEvents: ({ events, host }) => {
      const { queue, mailbox, current } = contextOf({ host });
      return [...threadProblems(events as ThreadEvent[], { queue, mailbox, activeRunId: current?.runId }), ...badApprovals(events), ...badItems(events as ThreadEvent[])];
    },
  };
}

const contextOf = ({ host }: Pick<World, 'host'>) => host.snapshot!.context as ThreadContext; // the chart of a thread
const isSaid = ({ host }: World, word: Word) => host.entries.some((entry) => entry.type === 'command' && 'id' in entry.command && entry.command.id === word);

function isOfRunThatIsOver(world: World, id: string): boolean {
  const [, run] = /^thread\/(run\.\d+)\//.exec(id) ?? [];
  return run !== undefined && contextOf(world).current?.runId !== `${THREAD_ID}/${run}`;
}

/** G3, L3, L4: the history is well formed, and what was said stands there once at most. */
function badHistory(world: World): string[] {
  const history = contextOf(world).history.toArray();
  const disorder = disorderIn(history);
  const twice = ['hello', 'steered', 'queued', 'mailed'].filter((text) => history.filter((item) => isSaying(item, text)).length > 1);
  return [...(disorder ? [`G3: in the history, ${disorder}`] : []), ...twice.map((text) => `L3: "${text}" stands in the history more than once`)];
}

const isSaying = (item: AgentInputItem, text: string) => 'role' in item && item.role === 'user' && typeof item.content === 'string' && item.content.split('\n').at(-1) === text;

/** A thread at rest has nothing under way; one that is not has something; and it awaits approval exactly when persons are all there is. */
function wrongWord({ host, open, timers }: World): string[] {
  if (host.crash) return [];
  const { length: persons } = host.openDecisions;
  const isAtRest = typeof host.value === 'string';
  const isWaiting = JSON.stringify(host.value).includes('awaitingApproval');
  const isUnderWay = open.length + timers.length > 0;
  if (isAtRest && (isUnderWay || persons > 0)) return [`J4: ${JSON.stringify(host.value)}, and ${open.map(({ id }) => id).join(', ')} is under way`];
  if (!isAtRest && !isUnderWay && persons === 0) return ['nothing is under way, and the thread does not rest'];
  return isWaiting === (persons > 0 && !isUnderWay) || isAtRest ? [] : [`D1: the thread ${isWaiting ? 'awaits' : 'does not await'} approval, ${persons} persons and ${open.length} effects are open`];
}

/** I2. */
function badItems(events: readonly ThreadEvent[]): string[] {
  const complaints: string[] = [];
  const open = new Map<string, string>();
  for (const event of events) {
    if (event.type === 'item.started') open.set(event.id, event.path);
    if (event.type === 'item.completed' && !open.delete(event.id)) complaints.push(`I2: ${event.id} ended without having started, or twice`);
    const left = event.type === 'turn.settled' || event.type === 'run.settled' ? [...open].filter(([, path]) => path === event.path || path.startsWith(`${event.path}/`)) : [];
    for (const [id] of left) complaints.push(`I2: ${id} is open when ${event.path} settles`);
  }
  return complaints;
}
