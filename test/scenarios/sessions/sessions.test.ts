/** G1, G3, G4: what a run reads from a session, what it writes, when, and how often. */
import { Agent, MemorySession, type AgentInputItem, type OpenAIResponsesCompactionArgs, type OpenAIResponsesCompactionAwareSession, RunState } from 'loopchart';
import { answered, asked, calls, fails, inputOf, said, says, user } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { add, refund } from '../support/cast.ts';
import { play } from '../support/scenario.ts';

/** A session that says what it is asked, and fails when told to. */
class WatchedSession extends MemorySession {
  readonly order: string[] = [];
  failsOnSave = 0;
  #saves = 0;

  override async getItems(limit?: number): Promise<AgentInputItem[]> {
    this.order.push('read');
    return super.getItems(limit);
  }

  override async addItems(items: AgentInputItem[]): Promise<void> {
    this.#saves += 1;
    this.order.push(`save ${items.map((item) => ('role' in item ? item.role : item.type)).join(' ')}`);
    if (this.#saves === this.failsOnSave) throw new Error('disk full');
    await super.addItems(items);
  }
}

test('G1: the history of the session is read before the first turn, with the new input after it', async () => {
  const { requests, sessions } = await play(async (world) => {
    const session = world.session([user('earlier'), said('Yes?')]);
    return world.run(new Agent({ name: 'Greeter', model: world.model(says('Hello.')) }), 'go', { session });
  });
  expect(requests[0]!.input).toEqual(inputOf('earlier', said('Yes?'), 'go'));
  expect(sessions).toEqual([inputOf('earlier', said('Yes?'), 'go', said('Hello.'))]);
});

test('G1: two runs on one session are one conversation', async () => {
  const { requests } = await play(async (world) => {
    const session = world.session();
    const agent = new Agent({ name: 'Talker', model: world.model(says('One.'), says('Two.')) });
    await world.run(agent, 'first', { session });
    return world.run(agent, 'second', { session });
  });
  expect(requests[1]!.input).toEqual(inputOf('first', said('One.'), 'second'));
});

test('G1: saved at every turn boundary: the input with the first turn, then each turn once', async () => {
  const { value } = await play(async (world) => {
    const session = new WatchedSession();
    const agent = new Agent({ name: 'Calculator', model: world.model(calls('add', { a: 1, b: 2 }), calls('add', { a: 3, b: 4 }), says('3 and 7.')), tools: [add] });
    await world.run(agent, 'go', { session });
    return session.order;
  });
  expect(value).toEqual(['read', 'save user function_call function_call_result', 'save function_call function_call_result', 'save assistant']);
});

test('G1: a turn is saved before the next request is sent', async () => {
  const { value } = await play(async (world) => {
    const order: string[] = [];
    const session = new WatchedSession();
    const agent = new Agent({ name: 'Calculator', model: world.model(calls('add', { a: 1, b: 2 }), says('3')), tools: [add], hooks: { llmStart: () => void order.push(`ask after ${session.order.length}`) } });
    await world.run(agent, 'go', { session });
    return order;
  });
  expect(value).toEqual(['ask after 1', 'ask after 2']);
});

test('G1: items are saved once across a resume, from object and from text', async () => {
  const { sessions } = await play(async (world) => {
    const build = () => new Agent({ name: 'Desk', model, tools: [refund] });
    const model = world.model(calls('refund', { order: 7 }), calls('refund', { order: 8 }), says('Done.'));
    const session = world.session();
    const approve = (state: RunState<any, any>) => { for (const call of state.getInterruptions()) state.approve(call); };
    const first = await world.run(build(), 'go', { session });
    approve(first.state);
    const second = await world.run(build(), first.state, { session });
    const state = await RunState.fromString<undefined, Agent<any, any>>(build(), second.state.toString());
    approve(state);
    return world.run(build(), state, { session });
  });
  expect(sessions[0]).toEqual(inputOf(
    'go', asked('refund', { order: 7 }, 'call_1'), answered('call_1', 'refunded 7'), asked('refund', { order: 8 }, 'call_2'), answered('call_2', 'refunded 8'), said('Done.'),
  ));
});

test('G1: resumed without its session, a run says so before it does anything, and can be resumed with it', async () => {
  const { runs, sessions } = await play(async (world) => {
    const session = world.session();
    const agent = new Agent({ name: 'Desk', model: world.model(calls('refund', { order: 7 }), says('Done.')), tools: [refund] });
    const waiting = await world.run(agent, 'go', { session });
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    const { state } = await world.run(agent, waiting.state);
    return world.run(agent, state, { session });
  });
  expect(runs.map(({ outcome, error }) => [outcome, error?.name])).toEqual([['waiting', undefined], ['waiting', 'UserError'], ['completed', undefined]]);
  expect(sessions[0]!.length).toBe(4);
});

test('G1: nothing is saved before the input guardrails have passed, though the answer is there', async () => {
  const { value, sessions } = await play(async (world) => {
    const session = world.session();
    let sizeWhileGuarding = -1;
    const agent = new Agent({
      name: 'Greeter', model: world.model(says('Hello.')),
      inputGuardrails: [{ name: 'slow', execute: async () => {
        await world.clock.settle();
        sizeWhileGuarding = (await session.getItems()).length;
        return { tripwireTriggered: false, outputInfo: null };
      } }],
    });
    await world.run(agent, 'go', { session });
    return sizeWhileGuarding;
  });
  expect([value, sessions[0]!.length]).toEqual([0, 2]);
});

test('G1, E2: a run whose input trips saves nothing', async () => {
  const { sessions, seen } = await play(async (world) => {
    const agent = new Agent({ name: 'Greeter', model: world.model(says('Hello.')), inputGuardrails: [{ name: 'no', runInParallel: false, execute: async () => ({ tripwireTriggered: true, outputInfo: 'no' }) }] });
    return world.run(agent, 'go', { session: world.session() });
  });
  expect([seen.error?.name, sessions]).toEqual(['InputGuardrailTripwireTriggered', [[]]]);
});

test('G1: sessionInputCallback shapes what the model reads; of it, only what is new is saved', async () => {
  const { requests, sessions } = await play(async (world) => {
    const session = world.session([user('long ago'), said('Hm.'), user('lately'), said('Yes?')]);
    return world.run(new Agent({ name: 'Greeter', model: world.model(says('Hello.')) }), 'go', {
      session,
      sessionInputCallback: (history, fresh) => [...history.slice(-2), user('By the way.'), ...fresh],
    });
  });
  expect(requests[0]!.input).toEqual(inputOf('lately', said('Yes?'), 'By the way.', 'go'));
  expect(sessions[0]!.slice(4)).toEqual(inputOf('By the way.', 'go', said('Hello.')));
});

test('G1: a sessionInputCallback that returns no list is the mistake of the app', async () => {
  const { seen, requests } = await play(async (world) =>
    world.run(new Agent({ name: 'Greeter', model: world.model(says('Hello.')) }), 'go', { session: world.session(), sessionInputCallback: () => undefined as never }));
  expect([seen.error?.name, requests.length]).toEqual(['UserError', 0]);
});

test('G1: a session that cannot be read fails the run before anything is sent', async () => {
  const { seen, requests } = await play(async (world) => {
    const session = world.session();
    session.getItems = async () => { throw new Error('no such file'); };
    const seen = await world.run(new Agent({ name: 'Greeter', model: world.model(says('Hello.')) }), 'go', { session });
    session.getItems = async () => [];
    return seen;
  });
  expect([seen.outcome, seen.error, requests.length]).toEqual(['failed', { name: 'Error', message: 'no such file' }, 0]);
});

test('G1: a failed final save rejects, with the output on the failure and the state to save it from', async () => {
  const { runs, value } = await play(async (world) => {
    const session = new WatchedSession();
    session.failsOnSave = 1;
    const agent = new Agent({ name: 'Greeter', model: world.model(says('Hello.')) });
    const failed = await world.run(agent, 'go', { session });
    return [failed.state.source.outcome?.failure?.detail?.['output'], failed.state.source.outcome?.unsaved];
  });
  expect([runs[0]!.outcome, runs[0]!.error?.message]).toEqual(['failed', 'disk full']);
  expect(value).toEqual(['Hello.', inputOf('go', said('Hello.'))]);
});

test('G1, K5: after a failed save in the middle nothing is lost and nothing is saved twice', async () => {
  const { value, seen } = await play(async (world) => {
    const session = new WatchedSession();
    session.failsOnSave = 2;
    const agent = new Agent({ name: 'Calculator', model: world.model(calls('add', { a: 1, b: 2 }), calls('add', { a: 3, b: 4 }), says('Done.')), tools: [add] });
    const failed = await world.run(agent, 'go', { session });
    await world.run(agent, failed.state, { session });
    return session.getItems();
  });
  expect(seen.outcome).toBe('completed');
  expect(value).toEqual(inputOf(
    'go', asked('add', { a: 1, b: 2 }, 'call_1'), answered('call_1', '3'), asked('add', { a: 3, b: 4 }, 'call_2'), answered('call_2', '7'), said('Done.'),
  ));
});

test('G3: a session with a call that was never answered is read as if it had been aborted, and is not rewritten', async () => {
  const { requests, sessions } = await play(async (world) => {
    const session = world.session([user('earlier'), asked('add', { a: 1, b: 2 }, 'call_0')]);
    return world.run(new Agent({ name: 'Calculator', model: world.model(says('Again?')), tools: [add] }), 'go', { session });
  });
  expect(requests[0]!.input).toEqual([
    user('earlier'), asked('add', { a: 1, b: 2 }, 'call_0'),
    { type: 'function_call_result', name: 'add', callId: 'call_0', status: 'incomplete', output: 'aborted' },
    user('go'),
  ]);
  expect(sessions[0]!.slice(0, 2)).toEqual([user('earlier'), asked('add', { a: 1, b: 2 }, 'call_0')]);
  expect(sessions[0]!.slice(2)).toEqual(inputOf('go', said('Again?')));
});

test('G3: input items that the app gives are made well formed too', async () => {
  const { requests } = await play(async (world) =>
    world.run(new Agent({ name: 'Calculator', model: world.model(says('Hm.')), tools: [add] }), [answered('nobody', '1', 'add'), user('go'), asked('add', { a: 1, b: 2 }, 'call_9'), user('well?')]));
  expect(requests[0]!.input).toEqual([
    user('go'), asked('add', { a: 1, b: 2 }, 'call_9'),
    { type: 'function_call_result', name: 'add', callId: 'call_9', status: 'incomplete', output: 'aborted' },
    user('well?'),
  ]);
});

test('G1: only what came after the last compaction is read', async () => {
  const { requests } = await play(async (world) => {
    const compaction: AgentInputItem = { type: 'compaction', encrypted_content: 'shorter' };
    const session = world.session([user('old'), said('old'), compaction, user('new')]);
    return world.run(new Agent({ name: 'Greeter', model: world.model(says('Hello.')) }), 'go', { session });
  });
  expect(requests[0]!.input).toEqual([{ type: 'compaction', encrypted_content: 'shorter' }, user('new'), user('go')]);
});

test('G4: a session that offers compaction is asked after a save; put off while the turn had results of ours, then forced', async () => {
  const { value, seen } = await play(async (world) => {
    class Compacting extends WatchedSession implements OpenAIResponsesCompactionAwareSession {
      async runCompaction({ force, responseId }: OpenAIResponsesCompactionArgs = {}) {
        this.order.push(`compact ${responseId}${force ? ' by force' : ''}`);
        return null;
      }
    }
    const session = new Compacting();
    const agent = new Agent({ name: 'Calculator', model: world.model(calls('add', { a: 1, b: 2 }), says('3'), says('Hello.')), tools: [add] });
    await world.run(agent, 'go', { session });
    await world.run(agent, 'again', { session });
    return session.order;
  });
  expect(seen.outcome).toBe('completed');
  expect(value).toEqual([
    'read', 'save user function_call function_call_result', 'save assistant', 'compact resp_2 by force',
    'read', 'save user assistant', 'compact resp_3',
  ]);
});

test('A8, G4: what compaction used is usage of the run', async () => {
  const { seen } = await play(async (world) => {
    class Compacting extends MemorySession implements OpenAIResponsesCompactionAwareSession {
      async runCompaction() {
        const usage = { requests: 1, inputTokens: 500, outputTokens: 50, totalTokens: 550 };
        world.spent(usage);
        return { usage };
      }
    }
    return world.run(new Agent({ name: 'Greeter', model: world.model(says('Hello.')) }), 'go', { session: new Compacting() });
  });
  expect(seen.usage).toEqual({ requests: 2, inputTokens: 510, outputTokens: 55, totalTokens: 565 });
});

test('G1: a provider failure leaves the input and finished turns in the session', async () => {
  const { sessions } = await play(async (world) => {
    const agent = new Agent({ name: 'Calculator', model: world.model(calls('add', { a: 1, b: 2 }), fails({ status: 500 })), tools: [add] });
    return world.run(agent, 'go', { session: world.session() });
  });
  expect(sessions[0]).toEqual(inputOf('go', asked('add', { a: 1, b: 2 }, 'call_1'), answered('call_1', '3')));
});
