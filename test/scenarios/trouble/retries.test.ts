/** K1, K2: when a request is sent again, after how long, and when not. */
import { Agent, type ModelSettings, retryPolicies, run } from 'loopchart';
import { cuts, fails, hangs, repeat, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { type World, play } from '../support/scenario.ts';

type Retry = NonNullable<ModelSettings['retry']>;
const always: Retry['policy'] = () => true;
const steady = { jitter: false } as const;

const patient = (world: World, retry: Retry | undefined, ...steps: Parameters<World['model']>) =>
  new Agent({ name: 'Patient', model: world.model(...steps), modelSettings: { retry } });

/** Runs it and lets time pass; how long the run took, in ms. */
async function timed(world: World, agent: Agent<any, any>, options?: Parameters<World['begin']>[2]): Promise<number[]> {
  const going = world.begin(agent, 'go', options);
  await world.clock.runAll();
  const { events } = await going.settled;
  return events.flatMap((event) => (event.type === 'turn.retrying' ? [event.delayMs] : []));
}

test('K1: run() does not retry of its own', async () => {
  const { seen, requests } = await play(async (world) => timed(world, patient(world, undefined, fails({ status: 503 }))));
  expect([seen.outcome, requests.length]).toEqual(['failed', 1]);
});

test('K1: with a policy each attempt is an event, after 250 ms doubled up to 8 s; after maxRetries it fails with the last error', async () => {
  const { seen, value, requests } = await play(async (world) => timed(world, patient(world, { maxRetries: 7, policy: always, backoff: steady }, repeat(7, fails({ status: 503 })), fails({ status: 500, message: 'the last one' }))));
  expect(value).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 8_000]);
  expect([seen.error?.message, requests.length, seen.turns]).toEqual(['the last one', 8, 1]);
});

test('K1: a turn that waits to ask again is in the state backingOff', async () => {
  const clock = virtualClock();
  const states = new Set<string>();
  const agent = new Agent({ name: 'Patient', model: scriptedModel(fails({ status: 503 }), says('There.')), modelSettings: { retry: { maxRetries: 1, policy: always, backoff: steady } } });
  const running = run(agent, 'go', {
    clock,
    inspect: (event) => {
      if (event.type !== '@xstate.snapshot' || !('value' in event.snapshot) || !('id' in event.actorRef) || !String(event.actorRef.id).startsWith('turn.')) return;
      states.add(JSON.stringify(event.snapshot.value));
    },
  });
  await clock.settle();
  expect([[...states].at(-1), clock.pending]).toEqual(['{"running":"backingOff"}', [{ id: 1, at: 250 }]]);
  await clock.runAll();
  expect((await running).finalOutput).toBe('There.');
});

test('K1: jitter takes off up to half', async () => {
  const clock = virtualClock();
  const delays: number[] = [];
  for (let nth = 0; nth < 20; nth += 1) {
    const model = scriptedModel(fails({ status: 503 }), says('There.'));
    const agent = new Agent({ name: 'Patient', model, modelSettings: { retry: { maxRetries: 1, policy: always, backoff: { initialDelayMs: 1_000 } } } });
    const running = run(agent, 'go', { clock, onEvent: (event) => void (event.type === 'turn.retrying' && delays.push(event.delayMs)) });
    await clock.runAll();
    await running;
  }
  expect(delays.length).toBe(20);
  expect(delays.every((delay) => delay >= 500 && delay <= 1_000)).toBe(true);
  expect(new Set(delays).size).toBeGreaterThan(1);
});

test('K1: backoff settings replace the defaults one by one', async () => {
  const { value } = await play(async (world) => timed(world, patient(world, { maxRetries: 3, policy: always, backoff: { initialDelayMs: 100, multiplier: 10, maxDelayMs: 5_000, jitter: false } }, repeat(3, fails({ network: true })), says('There.'))));
  expect(value).toEqual([100, 1_000, 5_000]);
});

test('K1: what the provider asked for wins over the backoff', async () => {
  const { value, seen } = await play(async (world) => timed(world, patient(world, { maxRetries: 1, policy: always, backoff: steady }, fails({ status: 429, retryAfterMs: 12_000 }), says('There.'))));
  expect([value, seen.finalOutput]).toEqual([[12_000], 'There.']);
});

test('K1: the ready policies: networkError, httpStatus, retryAfter, providerSuggested, any, all, never', async () => {
  const cases: [Retry['policy'], Parameters<typeof fails>[0], boolean][] = [
    [retryPolicies.networkError(), { network: true }, true],
    [retryPolicies.networkError(), { status: 500 }, false],
    [retryPolicies.httpStatus([429, 503]), { status: 503 }, true],
    [retryPolicies.httpStatus([429, 503]), { status: 400 }, false],
    [retryPolicies.retryAfter(), { status: 429, retryAfterMs: 5 }, true],
    [retryPolicies.retryAfter(), { status: 429 }, false],
    [retryPolicies.providerSuggested(), { status: 500, suggested: true }, true],
    [retryPolicies.any(retryPolicies.httpStatus([500]), retryPolicies.providerSuggested()), { status: 500, suggested: false }, false],
    [retryPolicies.any(retryPolicies.networkError(), retryPolicies.httpStatus([500])), { status: 500 }, true],
    [retryPolicies.all(retryPolicies.networkError(), retryPolicies.httpStatus([500])), { status: 500 }, false],
    [retryPolicies.never(), { network: true }, false],
  ];
  for (const [policy, failure, again] of cases) {
    const { seen } = await play(async (world) => timed(world, patient(world, { maxRetries: 1, policy, backoff: steady }, fails(failure), ...(again ? [says('There.')] : []))));
    expect([policy, seen.outcome]).toEqual([policy, again ? 'completed' : 'failed']);
  }
});

test('K1: the policy sees what is known of the failure, and its delay counts', async () => {
  const { value } = await play(async (world) => {
    const seen: unknown[] = [];
    const policy: Retry['policy'] = ({ attempt, maxRetries, stream, normalized, replaySafety, statefulRequest }) => {
      seen.push([attempt, maxRetries, stream === (world.mode === 'streamed'), normalized.statusCode, replaySafety, statefulRequest]);
      return { retry: true, delayMs: 7 };
    };
    return [await timed(world, patient(world, { maxRetries: 2, policy }, fails({ status: 500 }), fails({ status: 502, replaySafety: 'safe' }), says('There.'))), seen];
  });
  expect(value).toEqual([[7, 7], [[1, 2, true, 500, 'unknown', false], [2, 2, true, 502, 'safe', false]]]);
});

test('K1: a request with state kept by the provider is sent again only on its word that this is safe', async () => {
  for (const [replaySafety, outcome] of [['safe', 'completed'], ['unsafe', 'failed'], [undefined, 'failed']] as const) {
    const { seen } = await play(async (world) => {
      const steps = [fails({ status: 500, replaySafety }), ...(outcome === 'completed' ? [says('There.')] : [])];
      return timed(world, patient(world, { maxRetries: 1, policy: always, backoff: steady }, ...steps), { conversationId: 'conv_1' });
    });
    expect([replaySafety, seen.outcome]).toEqual([replaySafety, outcome]);
  }
});

test('K1: after visible output nothing is sent again; before it, it is', async () => {
  for (const [after, outcome] of [[1, 'completed'], [2, 'failed']] as const) {
    const { seen } = await play(async (world) => timed(world, patient(world, { maxRetries: 1, policy: always, backoff: steady }, cuts(after, says('one two'), { network: true }), ...(outcome === 'completed' ? [says('There.')] : []))), { only: 'streamed' });
    expect([after, seen.outcome]).toEqual([after, outcome]);
  }
});

test('K1: a policy that throws is a bug of the app: the run fails with its error', async () => {
  const boom = new Error('policy');
  const { seen, value } = await play(async (world) => {
    const { thrown } = await world.run(patient(world, { maxRetries: 1, policy: () => { throw boom; } }, fails({ status: 500 })), 'go');
    return thrown === boom;
  });
  expect([seen.error?.message, value]).toEqual(['policy', true]);
});

test('K2: a stream that ends without its final event is a disconnect: the run fails with its state, and the policy for lost connections sends it again', async () => {
  const { runs, value } = await play(async (world) => {
    const { thrown } = await world.run(patient(world, undefined, cuts(3, says('one two'))), 'go');
    await timed(world, patient(world, { maxRetries: 1, policy: retryPolicies.networkError(), backoff: steady }, cuts(1, says('one two')), says('There.')));
    return (thrown as { code?: string }).code;
  }, { only: 'streamed' });
  expect(value).toBe('stream_ended');
  expect(runs.map(({ outcome, error }) => [outcome, error?.message])).toEqual([
    ['failed', 'The model stream ended without its final event: the connection was lost. Run again from the state of this error.'], ['completed', undefined],
  ]);
});

test('K1: timeoutMs ends a model call that takes too long; it is sent again only if that is known to be safe or approved', async () => {
  for (const [policy, outcome] of [[always, 'failed'], [() => ({ retry: true, approveUnsafeReplay: true }), 'completed']] as const) {
    const { seen, value } = await play(async (world) => {
      const model = world.model(hangs(), ...(outcome === 'completed' ? [says('There.')] : []));
      await timed(world, new Agent({ name: 'Patient', model, modelSettings: { timeoutMs: 3_000, retry: { maxRetries: 1, policy: policy as Retry['policy'], backoff: steady } } }));
      return model.calls[0]!.signal!.aborted;
    });
    expect([seen.outcome, seen.error, value]).toEqual([outcome, outcome === 'failed' ? { name: 'ModelTimeoutError', message: 'Model call timed out after 3000ms.' } : undefined, true]);
  }
});
