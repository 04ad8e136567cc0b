/** D8: a tool asks the person: questions wait as approvals do, and the checked answers are the result. */
import { Agent, RunState, RunToolApprovalItem, StaleStateError, UserError, askUser, questionTool, type Answers, type QuestionSpec } from 'loopchart';
import { answered, asked, calls, inputOf, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { counted, latch, seatTool } from '../support/cast.ts';
import { brief, mortal } from '../support/mortal.ts';
import { type World, play } from '../support/scenario.ts';

const seat = seatTool();
const FREE = { free: ['12A', '12B'] };
const ANSWERS = { seat: '12A', bags: 2 };
const desk = (world: World, ...steps: Parameters<World['model']>) => new Agent({ name: 'Desk', model: world.model(...steps), tools: [seat] });
const onlyOne = (state: RunState<any, any>) => state.getInterruptions()[0]!;
const complaintOf = (attempt: () => void): string => {
  try {
    attempt();
    return 'accepted';
  } catch (error) {
    return `${(error as Error).constructor.name}: ${(error as Error).message}`;
  }
};

test('D8: questions with schemas wait as an approval does; the answers become the result', async () => {
  const { runs, requests, value } = await play(async (world) => {
    const agent = desk(world, calls('choose_seat', FREE), says('Enjoy your flight.'));
    const waiting = await world.run(agent, 'go');
    const item = onlyOne(waiting.state);
    waiting.state.answer(item, ANSWERS);
    await world.run(agent, waiting.state);
    return { questions: item.questions, json: item.toJSON() };
  });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['waiting', 'completed']);
  expect(runs[0]!.interruptions).toEqual([
    { id: 'run_test/agent.1/turn.1/toolCall.1.0/question#1', name: 'choose_seat', arguments: JSON.stringify(FREE), path: ['run_test/agent.1/turn.1/toolCall.1.0'] },
  ]);
  expect(value.questions).toEqual([
    { id: 'seat', text: 'Which seat?', schema: { type: 'string', enum: ['12A', '12B'] }, options: [{ label: '12A' }, { label: '12B' }] },
    { id: 'bags', text: 'How many bags?', schema: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } },
  ]);
  expect(value.json).toMatchObject({ questions: value.questions });
  expect(requests[1]!.input).toEqual(inputOf('go', asked('choose_seat', FREE, 'call_1'), answered('call_1', JSON.stringify(ANSWERS))));
  expect(runs[1]!.events.flatMap((event) => (event.type === 'approval.resolved' ? [event.decision] : []))).toEqual(['answer']);
  expect(runs[1]!.events.some(({ type }) => type === 'tool.started')).toBe(false);
});

test('D8: the other calls of the response run meanwhile, and several calls may ask at once', async () => {
  const { runs } = await play(async (world) => {
    const look = counted('look', 'seen');
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['choose_seat', FREE], ['look'], ['choose_seat', { free: ['1A'] }]), says('Done.')), tools: [seat, look.tool] });
    let seen = await world.run(agent, 'go');
    const [first, second] = seen.state.getInterruptions();
    seen.state.answer(second!, { seat: '1A', bags: 0 });
    seen = await world.run(agent, seen.state);
    seen.state.answer(first!, ANSWERS);
    return world.run(agent, seen.state);
  });
  expect(runs.map(({ interruptions }) => interruptions.length)).toEqual([2, 1, 0]);
  expect(runs[2]!.story.slice(3)).toEqual([
    'Desk: gets choose_seat "{\\"seat\\":\\"12A\\",\\"bags\\":2}"', 'Desk: gets look "seen"', 'Desk: gets choose_seat "{\\"seat\\":\\"1A\\",\\"bags\\":0}"', 'Desk: says "Done."',
  ]);
});

test('D8: an answer that does not fit is refused to whoever gave it: nothing is recorded, and the call waits', async () => {
  const { runs, value } = await play(async (world) => {
    const agent = desk(world, calls('choose_seat', FREE), says('Enjoy your flight.'));
    const { state } = await world.run(agent, 'go');
    const item = onlyOne(state);
    const before = state.toString();
    const wrong = [{ seat: '99Z', bags: 1 }, { seat: '12A', bags: -1 }, { seat: '12A', bags: 'two' }, { seat: '12A' }, { seat: '12A', bags: 1, meal: 'fish' }, 'yes', null, undefined];
    const complaints = wrong.map((answers) => complaintOf(() => state.answer(item, answers as Answers)));
    const unchanged = state.toString() === before;
    state.answer(item, ANSWERS);
    await world.run(agent, state);
    return { complaints, unchanged };
  });
  expect(value).toEqual({
    complaints: [
      'UserError: The answer to "seat" (Which seat?) does not fit: expected one of "12A", "12B". Nothing was changed, and the call still waits.',
      'UserError: The answer to "bags" (How many bags?) does not fit: Too small: expected number to be >=0. Nothing was changed, and the call still waits.',
      'UserError: The answer to "bags" (How many bags?) does not fit: Invalid input: expected number, received string. Nothing was changed, and the call still waits.',
      'UserError: The question "bags" (How many bags?) is not answered. Nothing was changed, and the call still waits.',
      'UserError: There is no question "meal" to answer; the call asks "seat", "bags".',
      ...Array(3).fill('UserError: Answers are an object by the ids of the questions: "seat", "bags".'),
    ],
    unchanged: true,
  });
  expect(runs[1]!.outcome).toBe('completed');
});

test('D8, D4: an answer to a live run takes effect at once; one that does not fit changes nothing there either', async () => {
  const { seen, value } = await play(async (world) => {
    const slow = latch<string>();
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['choose_seat', FREE], ['slow']), says('Done.')), tools: [seat, counted('slow', () => slow.promise).tool] });
    const going = world.begin(agent, 'go');
    await going.until('approval.requested');
    const state = await going.state;
    const item = onlyOne(state);
    const entries = state.source.entries.length;
    const refused = complaintOf(() => state.answer(item, { seat: 1, bags: 1 })).startsWith('UserError');
    const untouched = state.source.entries.length === entries;
    state.answer(item, ANSWERS);
    await going.until('approval.resolved');
    const again = complaintOf(() => state.answer(item, ANSWERS)).startsWith(StaleStateError.name);
    slow.open('slow');
    await going.settled;
    return { refused, untouched, again };
  }, { only: 'streamed' });
  expect(value).toEqual({ refused: true, untouched: true, again: true });
  expect(seen.finalOutput).toBe('Done.');
});

test('D8: approving answers nothing and says what does; what asks nothing cannot be answered', async () => {
  const { value } = await play(async (world) => {
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['choose_seat', FREE], ['pay'])), tools: [seat, counted('pay', 'paid', { needsApproval: true }).tool] });
    const { state } = await world.run(agent, 'go');
    const [question, approval] = state.getInterruptions();
    return [
      complaintOf(() => state.approve(question!)),
      complaintOf(() => state.approve(question!, { alwaysApprove: true })),
      complaintOf(() => state.useResult(question!, 'x')),
      complaintOf(() => state.answer(approval!, {})),
    ];
  });
  const id = 'run_test/agent.1/turn.1/toolCall.1.0/question#1';
  expect(value).toEqual([
    `UserError: The call ${id} asks a question: answer it with state.answer(item, { … }), or decline it with state.reject(item).`,
    `UserError: The call ${id} asks a question: answer it with state.answer(item, { … }), or decline it with state.reject(item).`,
    `UserError: The call ${id} has not run yet: approve or reject it. A result is given for a call that may have had its effect.`,
    'UserError: The call run_test/agent.1/turn.1/toolCall.1.1/approval#1 asks no question: approve or reject it.',
  ]);
});

test('D8, D2: declined, the model reads why; declined for always, nobody is asked again', async () => {
  const { runs, requests } = await play(async (world) => {
    const agent = desk(world, calls('choose_seat', FREE), calls('choose_seat', { free: ['1A'] }), says('As you wish.'));
    const { state } = await world.run(agent, 'go');
    state.reject(onlyOne(state), { message: 'Choose yourself.', alwaysReject: true });
    return world.run(agent, state);
  });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['waiting', 'completed']);
  expect(requests.slice(1).map(({ input }) => input.at(-1))).toEqual([answered('call_1', 'Choose yourself.', 'choose_seat'), answered('call_2', 'Choose yourself.', 'choose_seat')]);
});

test('D8: schemas of any kind, what they make of an answer, and a result in words of the tool', async () => {
  const { requests } = await play(async (world) => {
    const book = questionTool({
      name: 'book',
      description: 'Books.',
      parameters: z.object({}),
      questions: () => [
        { id: 'when', text: 'When?', schema: z.string().trim().toLowerCase() },
        { id: 'who', text: 'Who?', schema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } },
        { id: 'days', text: 'Which days?', options: [{ label: 'Mon', description: 'cheap' }, { label: 'Tue' }], multiple: true },
        { id: 'sure', text: 'Sure?', schema: z.boolean() },
        { id: 'code', text: 'Your code?', secret: true },
      ],
      result: (answers) => `booked ${JSON.stringify(answers)}`,
    });
    const agent = new Agent({ name: 'Desk', model: world.model(calls('book'), says('Done.')), tools: [book] });
    const { state } = await world.run(agent, 'go');
    state.answer(onlyOne(state), { when: ' NOON ', who: { name: 'Ada' }, days: ['Tue'], sure: true, code: 'x1' });
    return world.run(agent, state);
  });
  expect(requests[1]!.input.at(-1)).toEqual(answered('call_1', 'booked {"when":"noon","who":{"name":"Ada"},"days":["Tue"],"sure":true,"code":"x1"}', 'book'));
});

test('D8: a single answer is the result as it is; output guardrails look at it, and a terminal question ends the run with it', async () => {
  const { runs, value } = await play(async (world) => {
    const looked: unknown[] = [];
    const ask = questionTool({
      name: 'ask', description: 'Asks.', parameters: z.object({}), questions: () => [{ text: 'Well?' }], terminal: 'completed',
      outputGuardrails: [{ name: 'look', run: async ({ output }) => (looked.push(output), { behavior: { type: 'allow' } }) }],
    });
    const agent = new Agent({ name: 'Desk', model: world.model(calls('ask')), tools: [ask] });
    const { state } = await world.run(agent, 'go');
    state.answer(onlyOne(state), { question_1: 'very well' });
    await world.run(agent, state);
    return looked;
  });
  expect(value).toEqual(['very well']);
  expect([runs[1]!.outcome, runs[1]!.finalOutput, runs[1]!.guardrails]).toEqual(['completed', 'very well', ['look']]);
});

test('D8, C2: questions that cannot be asked are an error the model reads, and the run goes on', async () => {
  const broken: Record<string, () => QuestionSpec[]> = {
    'it throws': () => { throw new Error('no questions today'); },
    'it asks nothing': () => [],
    'it asks two of one id': () => [{ id: 'a', text: 'A?' }, { id: 'a', text: 'B?' }],
    'its text is empty': () => [{ text: ' ' }],
    'its schema says nothing in JSON Schema': () => [{ text: 'When?', schema: z.date() }],
  };
  for (const [why, questions] of Object.entries(broken)) {
    const { seen, requests } = await play(async (world) => {
      const ask = questionTool({ name: 'ask', description: 'Asks.', parameters: z.object({}), questions });
      return world.run(new Agent({ name: 'Desk', model: world.model(calls('ask'), says('I see.')), tools: [ask] }), 'go');
    });
    expect([why, seen.finalOutput, requests[1]!.input.at(-1)]).toEqual([why, 'I see.', answered('call_1', 'An error occurred while running the tool. Please try again.', 'ask')]);
  }
});

test('D8: input guardrails look before the person is troubled', async () => {
  const { seen, requests } = await play(async (world) => {
    const ask = questionTool({
      name: 'ask', description: 'Asks.', parameters: z.object({}), questions: () => [{ text: 'Well?' }],
      inputGuardrails: [{ name: 'quiet', run: async () => ({ behavior: { type: 'rejectContent', message: 'Do not disturb.' } }) }],
    });
    return world.run(new Agent({ name: 'Desk', model: world.model(calls('ask'), says('Fine.')), tools: [ask] }), 'go');
  });
  expect([seen.outcome, requests[1]!.input.at(-1)]).toEqual(['completed', answered('call_1', 'Do not disturb.', 'ask')]);
});

test('D8: askUser lets a model ask what it wants; options are proposals', async () => {
  const { runs, requests, value } = await play(async (world) => {
    const questions = [{ question: 'Which city?', options: ['Oslo', 'Rome'] }, { question: 'Which days?', options: ['Mon', 'Tue'], multiple: true }];
    const agent = new Agent({ name: 'Planner', model: world.model(calls('ask_user', { questions: [{ question: 'Why?' }] }), calls('ask_user', { questions }), says('Done.')), tools: [askUser] });
    const first = await world.run(agent, 'go');
    first.state.answer(onlyOne(first.state), { question_1: 'Because.' });
    const second = await world.run(agent, first.state);
    const item = onlyOne(second.state);
    second.state.answer(item, { question_1: 'Paris', question_2: ['Mon', 'Sat'] });
    await world.run(agent, second.state);
    return item.questions;
  });
  expect(runs.at(-1)!.finalOutput).toBe('Done.');
  expect(value).toEqual([
    { id: 'question_1', text: 'Which city?', schema: { type: 'string' }, options: [{ label: 'Oslo' }, { label: 'Rome' }] },
    { id: 'question_2', text: 'Which days?', schema: { type: 'array', items: { type: 'string' } }, options: [{ label: 'Mon' }, { label: 'Tue' }], multiple: true },
  ]);
  expect(requests.slice(1).map(({ input }) => input.at(-1))).toEqual([
    answered('call_1', 'Because.', 'ask_user'), answered('call_2', 'Which city?\nParis\n\nWhich days?\nMon, Sat', 'ask_user'),
  ]);
});

test('D8: an answer given while the run is at rest survives the text of its state', async () => {
  const { runs } = await play(async (world) => {
    const agent = desk(world, calls('choose_seat', FREE), says('Enjoy your flight.'));
    const { state } = await world.run(agent, 'go');
    const copy = await RunState.fromString<undefined, Agent<any, any>>(agent, state.toString());
    copy.answer(onlyOne(copy), ANSWERS);
    return world.run(agent, await RunState.fromString<undefined, Agent<any, any>>(agent, copy.toString()));
  });
  expect(runs[1]!.story[1]).toBe('Desk: gets choose_seat "{\\"seat\\":\\"12A\\",\\"bags\\":2}"');
});

test('D8: answered for a tool that has changed since, nothing is told to the run, and the call still waits', async () => {
  const { runs, value } = await play(async (world) => {
    const agent = desk(world, calls('choose_seat', FREE), says('Enjoy your flight.'));
    const { state } = await world.run(agent, 'go');
    state.answer(onlyOne(state), ANSWERS);
    const text = state.toString();
    agent.tools = [{ ...seat, questions: () => [{ id: 'seat', text: 'Which seat?', options: ['1A'] }, { id: 'bags', text: 'How many bags?' }] }];
    const refused = await world.run(agent, state);
    const entries = state.source.entries.length;
    agent.tools = [seat];
    const again = await RunState.fromString<undefined, Agent<any, any>>(agent, text);
    return { refused: refused.error?.message, entries, output: (await world.run(agent, again)).finalOutput };
  });
  expect(value).toEqual({
    refused: 'The answer to "seat" (Which seat?) does not fit: expected one of "1A". Nothing was changed, and the call still waits.', entries: 3, output: 'Enjoy your flight.',
  });
  expect(runs[1]!.interruptions.length).toBe(1);
});

test('D8, O1: what is asked and answered is in the journal: another process asks the same, and nobody is asked twice', async () => {
  const { value, runs } = await play(async (world) => {
    const agent = desk(world, calls('choose_seat', FREE), says('Enjoy your flight.'));
    const first = mortal();
    const { state } = await world.run(agent, 'go', { journal: first.journal });
    const journal = first.left('run_test');
    const waiting = await world.resume('run_test', { journal, agents: agent });
    const same = JSON.stringify(onlyOne(waiting.state).questions) === JSON.stringify(onlyOne(state).questions);
    waiting.state.answer(onlyOne(waiting.state), ANSWERS);
    await world.run(agent, waiting.state, { journal });
    return { same, entries: brief(journal, 'run_test') };
  });
  expect(runs.at(-1)!.finalOutput).toBe('Enjoy your flight.');
  expect(value).toEqual({ same: true, entries: ['run.start', 'effect.done turn.1/model#1', 'run.rest', 'decide toolCall.1.0/question#1', 'effect.done turn.2/model#1', 'run.rest'] });
});

test('D8, J2: interrupted, a question is withdrawn before anything ends', async () => {
  const { runs } = await play(async (world) => {
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['choose_seat', FREE], ['slow'])), tools: [seat, counted('slow', () => new Promise<never>(() => undefined)).tool] });
    const going = world.begin(agent, 'go', { graceMs: 0 });
    await going.until('approval.requested');
    going.interrupt();
    await world.clock.runAll();
    return going.settled;
  });
  expect(runs[0]!.events.flatMap((event) => (event.type === 'approval.resolved' ? [[event.id.split('/').at(-1), event.decision]] : []))).toEqual([['question#1', 'withdrawn']]);
  expect(runs[0]!.interruptions).toEqual([]);
});

test('D8, J1: a soft stop while a question waits keeps it: the run that goes on asks again', async () => {
  const { runs } = await play(async (world) => {
    const held = latch();
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['choose_seat', FREE], ['slow']), says('Thanks.')), tools: [seat, counted('slow', () => held.promise.then(() => 'slow')).tool] });
    const going = world.begin(agent, 'go');
    await going.until('approval.requested');
    going.softStop();
    held.open();
    const stopped = await going.settled;
    const waiting = await world.run(agent, stopped.state);
    waiting.state.answer(onlyOne(waiting.state), ANSWERS);
    return world.run(agent, waiting.state);
  });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['stopped', 'waiting', 'completed']);
  expect(runs[2]!.story.slice(2)).toEqual(['Desk: gets choose_seat "{\\"seat\\":\\"12A\\",\\"bags\\":2}"', 'Desk: gets slow "slow"', 'Desk: says "Thanks."']);
});

test('D4, D8: an answer to a call that does not wait yet is kept; to one that asks otherwise, or not at all, it is refused', async () => {
  const { value, runs } = await play(async (world) => {
    const held = latch();
    const slow = questionTool({
      name: 'ask', description: 'Asks.', parameters: z.object({}), questions: () => [{ id: 'a', text: 'A?' }],
      inputGuardrails: [{ name: 'slow', run: async () => (await held.promise, { behavior: { type: 'allow' } }) }],
    });
    const agent = new Agent({ name: 'Desk', model: world.model(calls('ask'), says('Done.')), tools: [slow] });
    const going = world.begin(agent, 'go');
    const started = await going.until('item.started');
    await world.clock.settle();
    const state = await going.state;
    const { id, item: call } = started as Extract<typeof started, { type: 'item.started' }>;
    const early = (suffix: string) => new RunToolApprovalItem(call as never, agent, undefined, { id: `${id}/${suffix}` });
    const refused = [
      complaintOf(() => state.answer(early('question#1'), { a: 1 })),
      complaintOf(() => state.answer(early('question#2'), { a: 'b' })),
      complaintOf(() => state.approve(early('approval#1'))),
      complaintOf(() => state.approve(early('question#1'))),
    ].map((text) => text.slice(0, text.indexOf(':')));
    state.answer(early('question#1'), { a: 'early' });
    held.open();
    await going.settled;
    return refused;
  }, { only: 'streamed' });
  expect(value).toEqual(Array(4).fill(UserError.name));
  expect([runs[0]!.outcome, runs[0]!.story[1]]).toEqual(['completed', 'Desk: gets ask "early"']);
});
