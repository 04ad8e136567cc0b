/** E2, E3, E4, E5: checks of what comes out: of the agent, and of its tools. */
import {
  Agent, GuardrailExecutionError, type OutputGuardrail, OutputGuardrailTripwireTriggered, Runner, ToolCallError, ToolGuardrailFunctionOutputFactory as verdicts,
  ToolInputGuardrailTripwireTriggered, ToolOutputGuardrailTripwireTriggered, tool,
} from 'loopchart';
import { answered, asked, calls, inputOf, responds, says, user } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { counted, latch } from '../support/cast.ts';
import { play } from '../support/scenario.ts';

const secret: OutputGuardrail = { name: 'secret', execute: async ({ agentOutput }) => ({ tripwireTriggered: String(agentOutput).includes('secret'), outputInfo: 'leak' }) };

test('E3: output guardrails of the runner and of the last agent look together at the final output only', async () => {
  const { value, seen } = await play(async (world) => {
    const looks: unknown[] = [];
    const [one, two] = [latch(), latch()];
    const look = (name: string, mine: typeof one, other: typeof one): OutputGuardrail => ({
      name,
      execute: async ({ agentOutput, agent }) => {
        looks.push([name, agentOutput, agent.name]);
        mine.open();
        await other.promise;
        return { tripwireTriggered: false, outputInfo: null };
      },
    });
    const never: OutputGuardrail = { name: 'never', execute: async () => { throw new Error('the first agent is not the last'); } };
    const model = world.model(responds(says('On my way.'), calls('tick')), calls('transfer_to_Last'), says('Done.'));
    const last = new Agent({ name: 'Last', model, outputGuardrails: [look('agent', one, two)] });
    const first = new Agent({ name: 'First', model, tools: [counted('tick').tool], handoffs: [last], outputGuardrails: [never] });
    await world.run(first, 'go', { runner: new Runner({ outputGuardrails: [look('runner', two, one)] }) });
    return looks;
  });
  expect(value).toEqual([['runner', 'Done.', 'Last'], ['agent', 'Done.', 'Last']]);
  expect([seen.outcome, seen.guardrails]).toEqual(['completed', ['runner', 'agent']]);
});

test('E2, E3: a trip hides the output: the session keeps the input and earlier turns, and drops the message', async () => {
  const { seen, sessions, value } = await play(async (world) => {
    const agent = new Agent({ name: 'Desk', model: world.model(calls('tick'), says('The secret is 7.')), tools: [counted('tick').tool], outputGuardrails: [secret] });
    const { thrown } = await world.run(agent, 'go', { session: world.session() });
    const error = thrown as OutputGuardrailTripwireTriggered<any>;
    return { isClass: thrown instanceof OutputGuardrailTripwireTriggered, withheld: error.result.agentOutput, printed: JSON.stringify(error) };
  });
  expect(value).toEqual({ isClass: true, withheld: 'The secret is 7.', printed: expect.not.stringContaining('secret is 7') });
  expect(seen.error).toEqual({ name: 'OutputGuardrailTripwireTriggered', message: 'Output guardrail triggered: "leak"' });
  expect(sessions[0]).toEqual(inputOf('go', asked('tick', {}, 'call_1'), answered('call_1', 'done')));
  expect(seen.history).toEqual(sessions[0]);
});

test('E3: an output that came from a tool keeps the pair, with a text in its place', async () => {
  for (const [options, expected] of [[{}, 'Output withheld by an output guardrail.'], [{ outputGuardrailBlockedMessage: 'Ask a person.' }, 'Ask a person.']] as const) {
    const { sessions } = await play(async (world) => {
      const agent = new Agent({ name: 'Desk', model: world.model(calls('look')), tools: [counted('look', 'the secret is 7').tool], toolUseBehavior: 'stop_on_first_tool', outputGuardrails: [secret] });
      return world.run(agent, 'go', { session: world.session(), ...options });
    });
    expect(sessions[0]).toEqual(inputOf('go', asked('look', {}, 'call_1'), answered('call_1', expected)));
  }
});

test('E5: an output guardrail that throws hides the output, after its siblings ended', async () => {
  const { seen, sessions, value } = await play(async (world) => {
    let ended = false;
    const slow: OutputGuardrail = { name: 'slow', execute: async () => (await world.clock.settle(), ended = true, { tripwireTriggered: false, outputInfo: null }) };
    const broken: OutputGuardrail = { name: 'broken', execute: async () => { throw new Error('no classifier'); } };
    const { thrown } = await world.run(new Agent({ name: 'Desk', model: world.model(says('Done.')), outputGuardrails: [broken, slow] }), 'go', { session: world.session() });
    return [thrown instanceof GuardrailExecutionError, ended];
  });
  expect([seen.error?.message, value, sessions[0]]).toEqual(['Output guardrail "broken" failed to complete: Error: no classifier', [true, true], [user('go')]]);
});

const streamedText = (stream: readonly { type: string }[]) =>
  stream.flatMap((event) => (event.type === 'raw_model_stream_event' && (event as any).data.type === 'output_text_delta' ? [(event as any).data.delta] : [])).join(''); // raw events carry what the model sent

for (const [answer, outcome, shown] of [['All is well.', 'completed', 'All is well.'], ['The secret is 7.', 'failed', '']] as const) {
  test(`E3: bufferUntilGuarded holds streamed text back until the guardrails have passed it: ${outcome}`, async () => {
    const { seen, value } = await play(async (world) => {
      const looked = latch();
      const slow: OutputGuardrail = { name: 'slow', execute: async (args) => (await looked.promise, secret.execute(args)) };
      const agent = new Agent({ name: 'Desk', model: world.model(responds(says('Looking. '), calls('tick')), says(answer)), tools: [counted('tick').tool], outputGuardrails: [slow] });
      const going = world.begin(agent, 'go', { bufferUntilGuarded: true });
      await going.until((event) => event.type === 'turn.started' && event.turn === 2);
      await world.clock.settle();
      const before = streamedText(going.stream);
      looked.open();
      const { stream } = await going.settled;
      return [before, streamedText(stream), JSON.stringify(stream.map((event) => ('data' in event ? event.data : 'item' in event ? event.item : ''))).includes('secret')];
    }, { only: 'streamed' });
    expect([seen.outcome, value]).toEqual([outcome, ['Looking. ', `Looking. ${shown}`, false]]);
  });
}

test('E3: without bufferUntilGuarded text is forwarded as it comes', async () => {
  const { value } = await play(async (world) => {
    const looked = latch();
    const slow: OutputGuardrail = { name: 'slow', execute: async () => (await looked.promise, { tripwireTriggered: false, outputInfo: null }) };
    const going = world.begin(new Agent({ name: 'Desk', model: world.model(says('Hello you.')), outputGuardrails: [slow] }), 'go');
    await going.until('turn.settled');
    await world.clock.settle();
    const before = streamedText(going.stream);
    looked.open();
    await going.settled;
    return before;
  }, { only: 'streamed' });
  expect(value).toBe('Hello you.');
});

const guarded = (options: object, bodies: string[]) =>
  tool({ name: 'work', description: 'Works.', parameters: z.object({}), execute: () => (bodies.push('ran'), 'the secret'), ...options });

test('E4: allow lets the call go on, and its results are kept', async () => {
  const { seen, value } = await play(async (world) => {
    const bodies: string[] = [];
    const work = guarded({ inputGuardrails: [{ name: 'in', run: async () => verdicts.allow('fine') }], outputGuardrails: [{ name: 'out', run: async () => verdicts.allow() }] }, bodies);
    await world.run(new Agent({ name: 'Desk', model: world.model(calls('work'), says('Done.')), tools: [work] }), 'go');
    return bodies;
  });
  expect([seen.outcome, value, seen.guardrails]).toEqual(['completed', ['ran'], ['in', 'out']]);
});

test('E4: rejectContent before the body: the message is the result and the body does not run; after it, its output is replaced', async () => {
  for (const [options, runs] of [
    [{ inputGuardrails: [{ name: 'no', run: async () => verdicts.rejectContent('Not allowed.') }, { name: 'never', run: async () => { throw new Error('the first objected'); } }] }, []],
    [{ outputGuardrails: [{ name: 'no', run: async ({ output }: { output: unknown }) => verdicts.rejectContent(output === 'the secret' ? 'Not allowed.' : 'not what the body returned') }] }, ['ran']],
  ] as const) {
    const { requests, value } = await play(async (world) => {
      const bodies: string[] = [];
      await world.run(new Agent({ name: 'Desk', model: world.model(calls('work'), says('I see.')), tools: [guarded(options, bodies)] }), 'go');
      return bodies;
    });
    expect(value).toEqual(runs);
    expect(requests[1]!.input).toEqual(inputOf('go', asked('work', {}, 'call_1'), answered('call_1', 'Not allowed.')));
  }
});

for (const [options, error] of [
  [{ inputGuardrails: [{ name: 'no', run: async () => verdicts.throwException('why') }] }, ToolInputGuardrailTripwireTriggered],
  [{ outputGuardrails: [{ name: 'no', run: async () => verdicts.throwException('why') }] }, ToolOutputGuardrailTripwireTriggered],
] as const) {
  test(`E4: throwException fails the run with a ToolCallError whose error is ${error.name}`, async () => {
    const { seen, value } = await play(async (world) => {
      const { thrown } = await world.run(new Agent({ name: 'Desk', model: world.model(calls(['work'], ['tick'])), tools: [guarded(options, []), counted('tick').tool] }), 'go');
      const cause = (thrown as ToolCallError).error;
      return [thrown instanceof ToolCallError, cause instanceof error && cause.result.output.outputInfo];
    });
    expect([seen.outcome, value]).toEqual(['failed', [true, 'why']]);
    expect(seen.story).toContain('Desk: gets tick "done"');
  });
}

test('E5: a tool guardrail that throws fails the run with GuardrailExecutionError', async () => {
  const { seen } = await play(async (world) => {
    const work = guarded({ inputGuardrails: [{ name: 'broken', run: async () => { throw new Error('no classifier'); } }] }, []);
    return world.run(new Agent({ name: 'Desk', model: world.model(calls('work')), tools: [work] }), 'go');
  });
  expect(seen.error).toEqual({ name: 'GuardrailExecutionError', message: 'Tool input guardrail "broken" failed to complete: Error: no classifier' });
});

test('E3: a structured output is looked at as it was parsed', async () => {
  const { value } = await play(async (world) => {
    const looks: unknown[] = [];
    const look = { name: 'look', execute: async ({ agentOutput }: { agentOutput: unknown }) => (looks.push(agentOutput), { tripwireTriggered: false, outputInfo: null }) };
    await world.run(new Agent({ name: 'Desk', model: world.model(says('{"n":1}')), outputType: z.object({ n: z.number() }), outputGuardrails: [look as never] }), 'go'); // typed for the agent's own output
    return looks;
  });
  expect(value).toEqual([{ n: 1 }]);
});
