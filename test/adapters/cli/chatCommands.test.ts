import { expect, test } from 'vitest';
import type { ThreadEvent } from 'loopchart/thread';
import { commandIn } from '../../../adapters/cli/terminal/commands.ts';
import { isGoalReached, goalMessage, goalText } from '../../../adapters/cli/thread/goal.ts';
import { Steers } from '../../../adapters/cli/thread/steers.ts';

test('commands are read whole; what fits none of them as a whole is text', () => {
  expect(['/queue', '/queue list', '/queue resume', '/queue edit 2 mend the roof', '/QUEUE remove 1', '/queue move 3 1'].map(commandIn)).toEqual([
    { name: 'queue', act: 'list' }, { name: 'queue', act: 'list' }, { name: 'queue', act: 'resume' },
    { name: 'queue', act: 'edit', place: 2, text: 'mend the roof' }, { name: 'queue', act: 'remove', place: 1 }, { name: 'queue', act: 'move', place: 3, to: 1 },
  ]);
  expect(['/queue remove the old logs', '/queue edit the file', '/queue move 3 boxes'].map(commandIn)).toEqual(
    ['remove the old logs', 'edit the file', 'move 3 boxes'].map((text) => ({ name: 'queue', act: 'add', text })),
  );
  expect(['/steer be brief', '/fork', '/fork 2', '/revert 0', '/threads', '/threads chat_1', '/goal', '/goal off', '/rules', '/rules remove 2', '/stop'].map(commandIn)).toEqual([
    { name: 'steer', text: 'be brief' }, { name: 'fork' }, { name: 'fork', run: 2 }, { name: 'revert', run: 0 }, { name: 'threads' }, { name: 'threads', id: 'chat_1' },
    { name: 'goal' }, { name: 'goal', text: 'off' }, { name: 'rules' }, { name: 'rules', remove: 2 }, { name: 'stop' },
  ]);
});

test('a slip is no message: the nearest command is named; a path is one', () => {
  const complaints = ['/quue fix it', '/usgae', '/banana', '/fork two', '/stop it', '/steer', '/rules x'].map((line) => commandIn(line) as { complaint: string });
  expect(complaints.map(({ complaint }) => complaint)).toEqual([
    'There is no command /quue. Did you mean /queue?', 'There is no command /usgae. Did you mean /usage?', 'There is no command /banana. See /help.',
    '/fork takes the number of a run, not "two"; 0 is the beginning.', '/stop takes nothing after it. To say this to the agent, leave the command out.',
    'Say what: /steer TEXT.', '/rules lists them, and /rules remove N takes one back; "x" is neither.',
  ]);
  expect(['hello', '/etc/hosts is empty', 'and/or', '/banana split, please', ''].map(commandIn)).toEqual(Array(5).fill(undefined));
});

type Said = Partial<ThreadEvent> & { type: ThreadEvent['type'] };
const event = (more: Said) => ({ number: 1, at: 0, cause: '', path: 't/run.1', agent: 'A', ...more }) as ThreadEvent;
const item = (content: string) => ({ type: 'message', role: 'user', content }) as const;
const joins = (id: string, text: string) => event({ type: 'input.accepted', ids: [id], items: [item(text)] });
const drops = (reason: string, ...ids: string[]) => event({ type: 'input.dropped', ids, items: ids.map(item), reason } as Said);

test('L1: a steer waits until it is delivered, or dropped, and then it is said why', () => {
  const steers = new Steers();
  steers.hear(event({ type: 'input.accepted', ids: ['r'], items: [item('begin')], source: { kind: 'command', id: 'r' } }));
  steers.hear(event({ type: 'input.accepted', ids: ['m'], items: [item('mail')], origin: 'mail' }));
  for (const id of ['a', 'b', 'c']) steers.hear(joins(id, `say ${id}`));
  expect(steers.waiting.map(({ text }) => text)).toEqual(['say a', 'say b', 'say c']);
  steers.hear(event({ type: 'input.delivered', ids: ['a'], items: [item('say a')], turn: 2 }));
  expect(steers.hear(drops('guardrail', 'b'))).toEqual([{ id: 'b', text: 'say b', reason: 'a guardrail stopped it' }]);
  expect(steers.hear(drops('interrupted', 'c', 'm'))).toEqual([{ id: 'c', text: 'say c', reason: 'the run was interrupted' }]);
  expect(steers.waiting).toEqual([]);
});

test('M9: a goal is reached when the agent says so on a line of its own', async () => {
  const goal = { message: goalMessage('tidy up'), maxRuns: 3, runs: 0 };
  const answers = (text: string) => isGoalReached({ goal, history: [item(goal.message), { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] }] });
  expect([answers('All tidy.\nGOAL REACHED'), answers('**GOAL REACHED.**'), answers('It is not yet GOAL REACHED, sorry.'), isGoalReached({ goal, history: [item(goal.message)] })]).toEqual([true, true, false, false]);
  expect(goalText(goal.message)).toBe('tidy up');
});
