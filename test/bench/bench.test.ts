/** The yardstick must be straight: what the bench compares, and how, is tested like everything else. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { answered, asked, calls, fails, inputOf, loop as forever, said, says, scriptedModel, cuts } from 'loopchart/testing';
import { bench, HELP, type KeptSizes, readSettings } from './bench.ts';
import { checked, CONTESTANTS } from './contestants.ts';
import { type Figure, missedFigures } from './figures.ts';
import { WORKLOADS, type Workload } from './fixtures/workloads.ts';
import { loop, type LoopTool } from './loop.ts';
import { measure, quantile, type MeasureOptions } from './measure.ts';
import { missedAims, toMarkdown, toReport, type Case } from './report.ts';

const [W1, , , W2, W3, W4] = WORKLOADS as [Workload, Workload, Workload, Workload, Workload, Workload];

describe('the hand-written loop', () => {
  const parameters = z.object({ a: z.number(), b: z.number() });
  const add = (body: (input: z.output<typeof parameters>) => unknown): LoopTool => ({
    name: 'add', description: 'Adds.', parameters, body,
    serialized: { type: 'function', name: 'add', description: 'Adds.', parameters: {}, strict: true },
  });
  const options = { tools: [add(({ a, b }) => a + b)], input: 'go', maxTurns: 5 };
  const script = () => scriptedModel(calls(['add', { a: 1, b: 2 }], ['add', { a: 3, b: 4 }]), says('3 and 7'));

  test('asks, runs the calls, appends call and result, and sums usage; streamed and not', async () => {
    const deltas: string[] = [];
    const plain = await loop({ ...options, model: script() });
    expect(await loop({ ...options, model: script(), onDelta: (delta) => deltas.push(delta) })).toEqual(plain);
    expect(deltas).toEqual(['3 ', 'and ', '7']);
    expect(plain).toEqual({
      output: '3 and 7',
      messages: inputOf(
        'go', asked('add', { a: 1, b: 2 }, 'call_1'), asked('add', { a: 3, b: 4 }, 'call_2'), answered('call_1', '3'), answered('call_2', '7'), said('3 and 7'),
      ),
      usage: { inputTokens: 20, outputTokens: 10, totalTokens: 30 },
    });
  });

  test('runs the calls of a turn side by side', async () => {
    const order: string[] = [];
    const slow = add(async ({ a }) => {
      order.push(`start ${a}`);
      await Promise.resolve();
      order.push(`end ${a}`);
    });
    await loop({ ...options, tools: [slow], model: script() });
    expect(order).toEqual(['start 1', 'start 3', 'end 1', 'end 3']);
  });

  test('checks arguments, and tells the model of them, of unknown tools and of failures', async () => {
    const model = scriptedModel(calls(['add', { a: 'x', b: 2 }], ['add', '{"a":'], ['none'], ['add', { a: 1, b: 1 }]), says('sorry'));
    const { messages } = await loop({ ...options, model, tools: [add(() => { throw new Error('no'); })] });
    const texts = messages.flatMap((item) => (item.type === 'function_call_result' && typeof item.output === 'object' && 'text' in item.output ? [item.output.text] : []));
    expect(texts.map((text) => text.split(':')[0])).toEqual(['The arguments do not fit', 'The tool failed', 'There is no tool named none.', 'The tool failed']);
  });

  test('tells of each turn when it is complete, and goes on from messages that were kept', async () => {
    const turns: number[] = [];
    const { messages } = await loop({ ...options, model: script(), onTurn: (items) => turns.push(items.length) });
    expect(turns).toEqual([4, 1]);
    const open = messages.slice(0, 2); // the input and a call that nobody has answered
    expect(await loop({ ...options, model: scriptedModel(says('3')), messages: open })).toMatchObject({
      output: '3', messages: inputOf('go', asked('add', { a: 1, b: 2 }, 'call_1'), answered('call_1', '3'), said('3')),
    });
  });

  test('stops at its limit, at a failure and at a stream without an end', async () => {
    await expect(loop({ ...options, maxTurns: 2, model: scriptedModel(forever(calls('add', { a: 1, b: 1 }))) })).rejects.toThrow('The loop used its 2 turns without an answer.');
    await expect(loop({ ...options, model: scriptedModel(fails({ status: 500 })) })).rejects.toMatchObject({ status: 500 });
    await expect(loop({ ...options, model: scriptedModel(cuts(1, says('a'))), onDelta: () => undefined })).rejects.toThrow('The stream ended without its response.');
  });
});

describe('the contestants', () => {
  const SMALL: Workload[] = [
    { ...W1, toolTurns: 3 },
    { ...W2, callsPerTurn: 4 },
    { ...W3, concurrentRuns: 5 },
    { ...W4, deltas: 7 },
  ];
  for (const name of ['loop', 'agents-sdk']) {
    test.each(SMALL)(`${name} does all of $id`, async (workload) => {
      const run = await (await CONTESTANTS[name]!()).prepare(workload);
      await run();
      await run();
    });
  }

  test.each([
    ['ran too few tools', async () => async () => 'done'],
    ['gave another answer', async (workload, tally) => async () => {
      for (let runs = 0; runs < workload.toolTurns; runs += 1) tally.add({ a: 1, b: 1 });
      return 'nothing';
    }],
  ] satisfies [string, Parameters<typeof checked>[1]][])('one that %s is found out', async (_what, prepare) => {
    const run = await checked('lazy', prepare).prepare({ ...W1, toolTurns: 3 });
    await expect(run()).rejects.toThrow('lazy did not do W1');
  });
});

describe('measuring', () => {
  /** Each subject takes the next of its durations; time moves by them alone. */
  const world = (durations: Record<string, number[]>, rest: Partial<MeasureOptions> = {}) => {
    let time = 0;
    const log: string[] = [];
    const subjects = Object.entries(durations).map(([name, list]) => ({
      name,
      run: async () => {
        log.push(name);
        time += list.length > 1 ? list.shift()! : list[0]!;
      },
    }));
    const options = { rounds: 3, warmUpMs: 1, sampleMs: 1, budgetMs: 1_000, now: () => time, ...rest };
    return { log, measured: () => measure(subjects, options) };
  };

  test('subjects take turns within each round, after a warm-up of their own', async () => {
    const { log, measured } = world({ a: [10], b: [20] });
    await measured();
    expect(log.join('')).toBe('ab' + 'ababab');
  });

  test('ratios are taken within a round, so that a slow spell does not count', async () => {
    const { measured } = world({ a: [10, 10, 100, 10], b: [20, 20, 200, 30] });
    expect(await measured()).toEqual([
      { name: 'a', samples: [10, 100, 10], median: 10, ratio: 1, spread: [1, 1] },
      { name: 'b', samples: [20, 200, 30], median: 30, ratio: 2, spread: [2, 2.5] },
    ]);
  });

  test('a short run is repeated until a sample is long enough', async () => {
    const { log, measured } = world({ a: [2] }, { rounds: 1, sampleMs: 10 });
    expect(await measured()).toMatchObject([{ samples: [2] }]);
    expect(log).toHaveLength(1 + 5);
  });

  test('the warm-up lasts as long as it is told', async () => {
    const { log, measured } = world({ a: [2] }, { rounds: 0, warmUpMs: 9 });
    await measured();
    expect(log).toHaveLength(5);
  });

  test('a subject beyond its budget sits out, after one round at least; the yardstick never does', async () => {
    const { log, measured } = world({ a: [50], b: [500] }, { budgetMs: 40 });
    expect((await measured()).map(({ name, samples, ratio }) => ({ name, rounds: samples.length, ratio }))).toEqual([
      { name: 'a', rounds: 3, ratio: 1 },
      { name: 'b', rounds: 1, ratio: 10 },
    ]);
    expect(log.join('')).toBe('ab' + 'abaa');
  });

  test('garbage is collected before each sample', async () => {
    let collected = 0;
    await world({ a: [1], b: [1] }, { collectGarbage: () => void (collected += 1) }).measured();
    expect(collected).toBe(6);
  });

  test.each([[[3, 1, 2], 0.5, 2], [[4, 1, 2, 3], 0.5, 2.5], [[1, 2, 3, 4, 5], 0.25, 2], [[7], 0.75, 7]])('the quantile of %j at %d is %d', (values, q, expected) => {
    expect(quantile(values, q)).toBe(expected);
  });
});

describe('the report', () => {
  const measurement = (name: string, median: number, ratio: number) => ({ name, samples: [median], median, ratio, spread: [ratio * 0.9, ratio * 1.25] as [number, number] });
  const [small, , large] = WORKLOADS as [Workload, Workload, Workload];
  const cases: Case[] = [
    { workload: small, measurements: [measurement('loop', 0.015, 1), measurement('loopchart', 0.6, 40)] },
    { workload: large, measurements: [measurement('loop', 1.5, 1), measurement('loopchart', 72, 48)] },
    { workload: W3, measurements: [measurement('loop', 5, 1), measurement('loopchart', 100, 20)] },
  ];

  test('costs are microseconds per unit, rates are units per second with the ratio turned round', () => {
    expect(toReport(cases).rows.map(({ value, unit, ratio, spread }) => ({ value, unit, ratio, spread }))).toEqual([
      { value: 1.5, unit: 'µs/turn', ratio: 1, spread: [0.9, 1.25] },
      { value: 60, unit: 'µs/turn', ratio: 40, spread: [36, 50] },
      { value: 1.5, unit: 'µs/turn', ratio: 1, spread: [0.9, 1.25] },
      { value: 72, unit: 'µs/turn', ratio: 48, spread: [43.2, 60] },
      { value: 200_000, unit: 'runs/s', ratio: 1, spread: [1 / 1.25, 1 / 0.9] },
      { value: 10_000, unit: 'runs/s', ratio: 0.05, spread: [1 / 25, 1 / 18] },
    ]);
  });

  test('it says how a turn grows with the length of the run', () => {
    expect(toReport(cases).growth).toEqual([{ contestant: 'loop', growth: 1 }, { contestant: 'loopchart', growth: 1.2 }]);
  });

  test('it is a Markdown table', () => {
    expect(toMarkdown(toReport(cases.slice(2)))).toBe([
      '| | work | contestant | median | ratio to the loop (quartiles) |',
      '|---|---|---|---:|---:|',
      '| W3 × 1,000 | 1,000 concurrent runs of 3 turns: a tool, a tool, the answer | loop | 200,000 runs/s | 1 |',
      '| W3 × 1,000 | 1,000 concurrent runs of 3 turns: a tool, a tool, the answer | loopchart | 10,000 runs/s | 0.05 (0.04 – 0.0556) |',
    ].join('\n'));
    expect(toMarkdown(toReport(cases))).toContain('- W1, loopchart: a turn at 1,000 turns costs 1.2 × a turn at 10.');
  });

  test('figures stand in a table of their own, with what they are held against; those that are too high are named', () => {
    const figures: Figure[] = [
      { workload: 'W5', what: 'its state', unit: 'bytes', value: 14_000, loop: 7_000, ratio: 2, aim: { of: 'ratio', most: 1.8 } },
      { workload: 'W7', what: 'opening', unit: 'ms', value: 100, aim: { of: 'value', most: 150 } },
      { workload: 'W7', what: 'writing', unit: 'ms', value: 1.234, aim: { of: 'value', most: 1 } },
    ];
    expect(toMarkdown(toReport([], figures))).toBe([
      '| | what | loopchart | loop | ratio | aim |',
      '|---|---|---:|---:|---:|---:|',
      '| W5 | its state | 14,000 bytes | 7,000 bytes | 2 × | ≤ 1.8 × |',
      '| W7 | opening | 100 ms |  |  | ≤ 150 ms |',
      '| W7 | writing | 1.23 ms |  |  | ≤ 1 ms |',
    ].join('\n'));
    expect(missedFigures(figures)).toEqual(['W5: its state is at 2 ×; the aim is at most 1.8.', 'W7: writing is at 1.23 ms; the aim is at most 1.']);
  });

  test('missed aims are named, met ones are not', () => {
    expect(missedAims(cases, 'loopchart')).toEqual([
      'W1 × 1000: loopchart is at 48 of the loop; the aim is at most 45.',
      'W3 × 1000: loopchart is at 0.05 of the loop; the aim is at least 0.08.',
      'W1: for loopchart a turn at 1000 turns costs 1.2 × a turn at 10; the aim is at most 1.1.',
    ]);
    expect(missedAims(cases, 'agents-sdk')).toEqual([]);
  });
});

describe('the command', () => {
  const played = (...argv: string[]) => playedWith(undefined, ...argv);
  const playedWith = async (sizes: KeptSizes | undefined, ...argv: string[]) => {
    const [printed, noted]: [string[], string[]] = [[], []];
    const code = await bench(argv, { print: (text) => printed.push(text), note: (text) => noted.push(text) }, sizes);
    return { code, printed: printed.join('\n'), noted: noted.join('\n') };
  };

  test('--help explains every option', async () => {
    expect(await played('--help')).toEqual({ code: 0, printed: HELP, noted: '' });
    for (const option of ['--only', '--contestants', '--rounds', '--budget', '--json', '--check']) expect(HELP).toContain(option);
  });

  test('--only and --json measure one workload and print data', async () => {
    const { code, printed, noted } = await played('--only', 'w4', '--contestants', 'loop', '--rounds', '1', '--json');
    const report = JSON.parse(printed) as { rows: unknown[] };
    expect(code).toBe(0);
    expect(report.rows).toEqual([expect.objectContaining({ workload: 'W4', contestant: 'loop', unit: 'µs/delta', ratio: 1, rounds: 1, value: expect.any(Number) })]);
    expect(noted).toContain('W4 × 10000');
  });

  test('W5 and W7 are measured of loopchart, next to what the loop has in their place', async () => {
    const sizes = { waiting: { turns: 3, runs: 2 }, durable: { turns: [2, 3], opening: 5 } };
    const figures = async (...argv: string[]) => (JSON.parse((await playedWith(sizes, '--only', 'W5,W7', '--rounds', '1', '--budget', '0.1', '--json', ...argv)).printed) as { figures: Figure[] }).figures;
    const measured = await figures();
    expect(measured.map(({ workload, what, unit, aim }) => [workload, what, unit, aim?.most])).toEqual([
      ['W5', 'a run of 3 turns that waits for approval: its state, to its history', 'bytes', 1.8],
      ['W5', 'saving it (toString)', 'ms', undefined],
      ['W5', 'restoring it, approving, and going on to its end', 'ms', 0.25],
      ['W5', 'of that, until the first effect begins', 'ms', undefined],
      ...(globalThis.gc ? [['W5', 'heap of each of 2 that wait in one process', 'bytes', undefined]] : []),
      ...['is pure', 'declares nothing'].flatMap((kind) => [
        ['W7', `durable turn, tool that ${kind}, 2 turns`, 'µs', 3], ['W7', `durable turn, tool that ${kind}, 3 turns`, 'µs', 3], ['W7', `a turn at 3 turns to one at 2, tool that ${kind}`, '×', 1.1],
      ]),
      ...['is pure', 'declares nothing'].map((kind) => ['W7', expect.stringMatching(new RegExp(`^written per turn beyond its items \\(4\\d\\d bytes\\), tool that ${kind}$`)), 'bytes', 2_048]),
      ['W7', 'opening a run of 5 turns (stateFromJournal)', 'ms', 150],
    ]);
    for (const { value } of measured) expect(value).toBeGreaterThan(0);
    expect(await figures('--contestants', 'loop')).toEqual([]);
  });

  test.each([
    [['--only', 'W9'], '--only does not know "W9". It takes W1, W2, W3, W4, W5, W7, separated by commas.'],
    [['--contestants', 'me'], '--contestants does not know "me". It takes loop, loopchart, agents-sdk, separated by commas.'],
    [['--rounds', '0'], '--rounds takes a whole number above 0, not "0".'],
    [['--rounds', '1.5'], '--rounds takes a whole number above 0, not "1.5".'],
    [['--budget', 'x'], '--budget takes a number above 0, not "x".'],
    [['--fast'], '--fast'],
  ])('%j is refused with the reason', (argv, message) => {
    expect(() => readSettings(argv)).toThrow(message);
  });

  test('the loop is always there, first and once', () => {
    expect(readSettings(['--contestants', 'agents-sdk,loop,agents-sdk'])).toMatchObject({ contestants: ['loop', 'agents-sdk'], only: ['W1', 'W2', 'W3', 'W4', 'W5', 'W7'] });
  });
});
