/** What people say to a thread when nothing is planned. */
import type { Receipt, Thread, ThreadRun } from 'loopchart/thread';
import type { MortalThread } from '../../crash/support/mortalThread.ts';
import type { Random } from './random.ts';

type Saying = (thread: MortalThread, id: string, chance: Random) => Promise<Receipt | undefined>;
const quiet = ({ receipt, result }: ThreadRun): Promise<Receipt> => {
  result.catch(() => undefined); // most end badly
  return receipt;
};

/** How often each is said, by how often it stands here. */
export const WORDS: [name: string, say: Saying][] = [
  ['run', (thread, id) => quiet(thread.run(`Do ${id}.`, { id }))],
  ['run', (thread, id) => quiet(thread.run(`Do ${id}.`, { id }))],
  ['run', (thread, id) => quiet(thread.run(`Do ${id}.`, { id }))],
  ['replace', (thread, id) => quiet(thread.run(`Do ${id} instead.`, { id, whenBusy: 'replace' }))],
  ['queue', (thread, id) => quiet(thread.queue.add(`Then ${id}.`, { id }))],
  ['queue', (thread, id) => quiet(thread.queue.add(`Then ${id}.`, { id }))],
  ['steer', (thread, id) => thread.steer(`Mind ${id}.`, { id })],
  ['steer', (thread, id) => thread.steer(`Mind ${id}.`, { id })],
  ['steer', (thread, id) => thread.steer(`Mind ${id}.`, { id, mode: 'instant' })],
  ['mail', (thread, id, chance) => thread.mail({ id, from: 'host', content: `News ${id}.`, triggerTurn: chance.chance(0.5) })],
  ['interrupt', (thread) => thread.interrupt()],
  ['stopAfterTurn', (thread) => thread.stopAfterTurn()],
  ['resume', (thread) => thread.queue.resume()],
  ['remove', (thread, id) => thread.queue.remove(thread.queue.list()[0]?.id ?? id)],
  ['approve', (thread) => decideAll(thread, (call) => thread.approve(call))],
  ['reject', (thread) => decideAll(thread, (call) => thread.reject(call))],
];

/** What is said more seldom; to every other thread. */
export const MORE_WORDS: typeof WORDS = [
  ...WORDS,
  ['compact', (thread) => thread.compact()],
  ['inject', (thread, id) => thread.inject([{ role: 'user', content: `It is known that ${id}.` }])],
  ['revert', (thread, id, chance) => thread.revert({ runId: chance.pick([null, ...(thread.lives.owner ? thread.look.runs : []).map(({ runId }) => runId)]) })],
  ['goal', (thread, id, chance) => thread.setGoal(chance.chance(0.7) ? { message: `Reach ${id}.`, maxRuns: 2 } : null)],
  ['rule', (thread, id, chance) => thread.addRule({ id, tool: '*', decision: chance.pick(['allow', 'ask', 'deny'] as const) })],
  ['edit', (thread, id) => thread.queue.edit(thread.queue.list()[0]?.id ?? id, { input: `Then ${id}, rather.` })],
  ['move', (thread, id) => thread.queue.move(thread.queue.list().at(-1)?.id ?? id, 0)],
];

async function decideAll(thread: MortalThread, decide: (call: Thread['interruptions'][number]) => Promise<void>): Promise<undefined> {
  for (const call of thread.interruptions) if (!call.uncertain) await decide(call).catch(() => undefined); // decided or over in the meantime
}
