import { describe, expect, test } from 'vitest';
import type { AnyEventObject } from 'xstate';
import { compactionItem } from '../../machines/compaction.ts';
import type { RunInput, RunOutcome } from '../../machines/protocol/outcome.ts';
import type { ThreadCommand, ThreadInput, WhenBusy } from '../../machines/protocol/thread.ts';
import type { ThreadContext } from '../../machines/threadMemory.ts';
import { threadMachine } from '../../machines/thread.ts';
import { type ExploredEdge, type Leaf, completions, crashes, explore } from '../support/explore.ts';
import { everyConfiguration } from './everyConfiguration.ts';
import { AT, asked, ok, responseOf, said, trouble } from './samples.ts';

const BUG = { name: 'Error', message: 'bug' };
/** What a walk is about: all of it at once would be millions of states that say nothing new. */
const TOPICS = ['queue', 'history', 'goal', 'background', 'rules'] as const;
type Topic = (typeof TOPICS)[number];
const inputs = TOPICS.map((topic): ThreadInput => ({ path: topic, agent: 'first', history: [asked('before'), said('yes')] }));

type Telling = ThreadCommand extends infer Command ? (Command extends ThreadCommand ? Omit<Command, 'id' | 'at'> & { id?: string } : never) : never;
const told = ({ id = 'command', ...command }: Telling): AnyEventObject => ({ ...command, id, at: AT });
const mail = (triggerTurn: boolean) => told({ type: 'thread.mail', id: 'm', mail: { id: 'm', from: 'host', content: 'news', triggerTurn } });
const steer = (more: { path?: string; expectedRunId?: string } = {}) => told({ type: 'thread.steer', input: [{ id: 's', item: asked('s') }], ...more });
const runs = (...ways: WhenBusy[]) => (id: string) => ways.map((whenBusy) => told({ type: 'thread.run', id, input: [asked('more')], whenBusy }));

/** Each is said at most as often as it matters. */
const COMMANDS: Record<Topic, (context: ThreadContext) => AnyEventObject[]> = {
  queue: ({ queue, next, mailbox, passed }) => [
    ...(queue.length + (next ? 1 : 0) < 2 ? [...runs('queue', 'replace')(`q${queue.length}`), told({ type: 'queue.add', entry: { id: `q${queue.length}`, input: [asked('queued')] } })] : []),
    ...runs('steer', 'reject')('command'),
    steer(), steer({ path: 'elsewhere' }), steer({ expectedRunId: 'another' }),
    told({ type: 'thread.interrupt' }), told({ type: 'thread.interrupt', path: 'elsewhere' }), told({ type: 'thread.softStop' }),
    ...(mailbox.length + passed.length === 0 ? [mail(true), mail(false)] : []),
    told({ type: 'queue.edit', entry: { id: 'q0', input: [asked('edited')] } }), told({ type: 'queue.move', entryId: 'q0', to: 1 }), told({ type: 'queue.remove', entryId: 'q0' }), told({ type: 'queue.resume' }),
  ],
  history: ({ next, queue, pendingInput, mailbox, passed }) => [
    ...(next || queue.length > 0 ? [] : runs('queue', 'replace')('q0')),
    ...runs('steer')('command'),
    steer(), told({ type: 'thread.interrupt' }), told({ type: 'thread.softStop' }), told({ type: 'thread.compact' }),
    ...(pendingInput.length === 0 ? [told({ type: 'thread.inject', id: 'i', items: [asked('injected')] })] : []),
    told({ type: 'thread.revert', to: { runId: null } }), told({ type: 'thread.revert', to: { runId: 'unknown' } }),
    ...(mailbox.length + passed.length === 0 ? [mail(true)] : []),
    told({ type: 'queue.resume' }),
  ],
  goal: ({ goal, queue, next, mailbox, passed }) => [
    ...(next || queue.length > 0 ? [] : runs('queue', 'replace')('q0')),
    ...runs('steer', 'reject')('command'),
    steer(), told({ type: 'thread.interrupt' }), told({ type: 'thread.compact' }), told({ type: 'thread.revert', to: { runId: null } }),
    told({ type: 'thread.goal', goal: { message: 'go on', maxRuns: 1 } }), ...(goal ? [told({ type: 'thread.goal', goal: null })] : []),
    ...(mailbox.length + passed.length === 0 ? [mail(true)] : []),
    told({ type: 'queue.resume' }),
  ],
  background: ({ background, facts, mailbox, passed, goal, queue, next }) => {
    const path = Object.keys(background).map((id) => `${facts.path}/${id}`)[0] ?? `${facts.path}/background.0`;
    return [
      ...(next || queue.length > 0 ? [] : runs('replace')('q0')), ...runs('reject')('command'),
      steer(), steer({ path }), steer({ path: `${path}/agent.1` }),
      told({ type: 'thread.interrupt' }), told({ type: 'thread.interrupt', path }), told({ type: 'thread.compact' }),
      ...(goal ? [] : [told({ type: 'thread.goal', goal: { message: 'go on', maxRuns: 1 } })]),
      ...(mailbox.length + passed.length < 2 && Object.keys(background).length === 0 ? [...[undefined, true as const].map((extracts) => told({ type: 'background.start', id: 'b', agent: 'first', tool: 'work', delegate: 'second', input: [asked('work')], from: 'call', ...(extracts && { extracts }) }))] : []),
      told({ type: 'queue.resume' }),
    ];
  },
  rules: ({ queue }) => [
    ...runs('queue')('command').slice(queue.length),
    told({ type: 'thread.interrupt' }), told({ type: 'rule.add', rule: { id: 'r', tool: 'look', decision: 'allow' } }), told({ type: 'rule.remove', ruleId: 'r' }), told({ type: 'queue.resume' }),
  ],
};

const topicOf = ({ facts }: ThreadContext) => facts.path as Topic; // as its input says
const commandsFor = (context: ThreadContext) => [...COMMANDS[topicOf(context)](context), told({ type: 'thread.close' })];

const outcome = (status: RunOutcome['status'], more: Partial<RunOutcome> = {}): RunOutcome => ({
  status, agent: 'first', history: [], generated: [], turns: 1, undelivered: [], guardrailResults: [], ...more,
} as RunOutcome); // only what a thread reads of it

/** A run gives back what it was given and did not deliver. */
const given = ({ passed }: ThreadContext): RunOutcome['undelivered'] => passed.map(({ id }) => ({ id, item: asked('news'), origin: 'mail' as const }));

function runEnds(context: ThreadContext, { input }: Leaf): RunOutcome[] {
  const { base } = input as RunInput; // what the thread spawns runs with
  const undelivered = given(context);
  const carried = { response: responseOf(), results: {}, attempt: 1 } as unknown as NonNullable<RunOutcome['carried']>; // as a turn leaves it
  return [
    outcome('completed'), outcome('completed', { undelivered }), outcome('failed', { unguarded: true, undelivered }), outcome('interrupted', { undelivered }),
    ...(topicOf(context) === 'history' ? [outcome('failed', { compactionAsked: true }), outcome('interrupted', { compactionAsked: true })] : []),
    ...(['history', 'goal'].includes(topicOf(context)) ? [outcome('completed', { compactionAsked: true })] : []),
    outcome('stopped', { undelivered: [...undelivered, { id: 's', item: asked('s') }], ...(base?.carried ? {} : { carried }) }),
  ];
}

const only = (ids: string[]) => ids.map((id) => id.replace(/\.\d+$/, ''));

const walk = explore({
  machine: threadMachine,
  inputs,
  key: ({ value, context }, leaves) => ({
    topic: topicOf(context),
    value,
    leaves: only(leaves.map(({ id }) => id)).sort(),
    queue: context.queue.length,
    isEdited: context.queue.some(({ input: [item] }) => JSON.stringify(item).includes('edited')),
    mail: [context.mailbox.map(({ triggerTurn }) => triggerTurn), context.passed.length],
    ended: context.ended,
    goal: context.goal && context.goal.runs,
    next: context.next?.type,
    rules: context.rules.length,
    carried: context.carried !== null,
    pending: context.pendingInput.length,
    isRunning: context.current !== null,
    compactionAsked: context.compactionAsked,
    background: Object.values(context.background).map(({ extracts, isOver }) => [extracts, isOver]),
    isServed: context.server !== undefined,
    isSummed: context.history.toArray()[0]?.type,
  }),
  eventsFor: ({ value, context }, leaves) => [
    ...commandsFor(context),
    ...(context.current ? [{ type: JSON.stringify(value).includes('awaitingApproval') ? 'child.goes' : 'child.waits', id: context.current.runId }, { type: 'child.waits', id: 'another' }, { type: 'child.goes', id: 'another' }] : []),
    ...completions(leaves, {
      run: (leaf) => runEnds(context, leaf),
      background: [outcome('completed', { output: 'found' }), outcome('failed', { failure: { code: 'model', message: 'no' } }), outcome('interrupted')],
      compactor: [ok({ item: compactionItem('', []), dropped: 0 }), trouble('model')],
      report: [ok({ text: 'in other words' }), trouble('user')],
      goal: [ok({ done: true }), ok({ done: false }), ok({ done: false, message: 'try harder' }), trouble('user')],
    }),
    ...crashes(leaves, BUG),
  ],
  interrupts: ['thread.interrupt', 'thread.close'],
  windingDown: ({ value }) => /stopping|closing/.test(JSON.stringify(value)),
  isTrouble: (output) => ['error', 'failed'].includes((output as { status: string }).status),
  mayFail: (error) => error === BUG,
});

console.log(`thread: ${walk.states.length} states, ${walk.edges.length} edges`);

everyConfiguration('thread', { rule: 'M1', walk, moreThan: 500 });

const contextAt = (index: number) => walk.states[index]!.snapshot.context;
const of = (...types: string[]) => walk.edges.filter(({ event }) => types.includes(event.type));
const answersOf = ({ effects }: ExploredEdge) => effects.flatMap((effect) => (effect.kind === 'emit' && effect.event.type === 'command.answered' ? [effect.event['answer'] as { status: string; reason?: string }] : []));
const begins = ({ effects }: ExploredEdge) => effects.filter((effect) => effect.kind === 'spawn' && effect.src === 'run').length;

describe('on every way through the thread chart', () => {
  const isCommand = ({ event }: ExploredEdge) => /^(thread|queue|rule)\.|^background\.start/.test(event.type);

  test('L1: every command is answered once, wherever the thread is', () => {
    const commands = walk.edges.filter(isCommand);
    expect(commands.length).toBeGreaterThan(3_000);
    expect(commands.filter((edge) => answersOf(edge).length !== 1).map(({ event, from }) => [event.type, walk.states[from]!.snapshot.value])).toEqual([]);
  });

  test('L1: what is rejected or without effect changes nothing', () => {
    const declined = walk.edges.filter((edge) => answersOf(edge).some(({ status }) => status !== 'accepted'));
    expect(declined.length).toBeGreaterThan(300);
    expect(declined.filter(({ from, to }) => from !== to).map(({ event, from }) => [event.type, walk.states[from]!.snapshot.value])).toEqual([]);
  });

  test('M1: at most one run is there, and it is the one that the thread knows of', () => {
    const runs = walk.states.filter(({ snapshot }) => snapshot.status === 'active').map(({ leaves, snapshot }) => [leaves.filter(({ src }) => src === 'run').length, snapshot.context.current ? 1 : 0]);
    expect(runs.filter(([live, known]) => live !== known)).toEqual([]);
    expect(walk.edges.filter((edge) => begins(edge) > 1)).toEqual([]);
  });

  test('M3, M4: while the last run has not completed, nothing begins but what is told to', () => {
    const begun = walk.edges.filter((edge) => begins(edge) === 1 && ['failed', 'stopped', 'interrupted'].includes(contextAt(edge.from).ended ?? ''));
    expect(new Set(begun.map(({ event }) => event.type))).toEqual(new Set(['thread.run', 'queue.resume']));
  });

  test('M4: mail that waits comes before the queue', () => {
    const both = of('queue.resume').filter(({ from }) => contextAt(from).queue.length > 0 && contextAt(from).mailbox.some(({ triggerTurn }) => triggerTurn) && walk.states[from]!.snapshot.value === 'paused');
    expect(both.length).toBeGreaterThan(0);
    for (const { effects } of both) expect(effects).toContainEqual({ kind: 'emit', event: expect.objectContaining({ type: 'input.accepted', source: { kind: 'mail', ids: [expect.any(String)] } }) });
  });

  test('M2, L3: what is in the queue or the mailbox leaves it only to begin, to be passed on, or because it was taken out', () => {
    const wholes = walk.edges.filter((edge) => edge.event.type !== 'queue.remove' && begins(edge) === 0 && walk.states[edge.to]!.snapshot.status !== 'error');
    const fewer = wholes.filter(({ from, to }) => contextAt(to).queue.length < contextAt(from).queue.length);
    expect(fewer).toEqual([]);
    const left = walk.edges.filter((edge) => begins(edge) === 1 && !['thread.run'].includes(edge.event.type) && walk.states[edge.to]!.snapshot.status !== 'error');
    const fromQueue = ({ effects }: ExploredEdge) => effects.some((effect) => effect.kind === 'emit' && effect.event.type === 'input.accepted' && effect.event['source'].kind === 'queue');
    expect(left.filter((edge) => contextAt(edge.from).queue.length - contextAt(edge.to).queue.length !== (edge.event.type === 'queue.add' ? 0 : Number(fromQueue(edge)))).map(({ event }) => event.type)).toEqual([]);
    const mail = (context: ThreadContext) => context.mailbox.length + context.passed.length;
    const lost = wholes.filter(({ from, to, event }) => mail(contextAt(to)) < mail(contextAt(from)) && !(event.type.startsWith('xstate.done.actor.run.') && (event['output'] as RunOutcome).undelivered.length === 0));
    expect(lost).toEqual([]);
  });

  test('J4: while the thread stops or closes, no run, no summary and no check of the goal begins but by its next word', () => {
    const during = walk.edges.filter(({ from }) => /closing/.test(JSON.stringify(walk.states[from]!.snapshot.value)));
    expect(during.length).toBeGreaterThan(0);
    expect(during.filter(({ effects }) => effects.some(({ kind }) => kind === 'spawn'))).toEqual([]);
  });

  test('J2: an interrupt is passed to the run, and the thread rests when that has ended', () => {
    const interrupts = of('thread.interrupt').filter((edge) => answersOf(edge)[0]!.status === 'accepted' && contextAt(edge.from).current !== null && edge.event['path'] === undefined);
    expect(interrupts.length).toBeGreaterThan(0);
    for (const { to, effects } of interrupts) {
      expect(walk.states[to]!.snapshot.value).toEqual({ active: 'stopping' });
      expect(effects.filter((effect) => effect.kind === 'send').map((effect) => [effect.to, effect.event.type])).toEqual([[expect.stringMatching(/^run\./), 'interrupt']]);
    }
  });

  test('M9: a thread that closes refuses all commands', () => {
    const late = walk.edges.filter((edge) => isCommand(edge) && /closing/.test(JSON.stringify(walk.states[edge.from]!.snapshot.value)));
    for (const edge of late) expect(answersOf(edge)).toEqual([{ status: 'rejected', reason: 'closed' }]);
  });
});
