import { describe, expect, test } from 'vitest';
import { chartOf, PALETTE, statesOf, toSvg, WORDS, type Chart } from 'loopchart/visualizations';
import { agentMachine, runMachine, toolCallMachine, turnMachine } from 'loopchart/machines';
import { createMachine } from 'xstate';
import { figureOf } from '../../visualizations/figure.ts';
import { layoutOf, type Placed, type Route } from '../../visualizations/layout.ts';
import { lineWidth, MARGIN } from '../../visualizations/rows.ts';
import { textWidth, wrap } from '../../visualizations/text.ts';
import { PAGES } from '../../visualizations/theme.ts';
import { courierMachine, lampMachine, parcelMachine } from './parcel.ts';
import { classesOf, elementsOf, parseXml, type Element } from './xml.ts';

const parcel = chartOf(parcelMachine);
const nestedParcel = chartOf(parcelMachine, { spawned: { courier: courierMachine } });
const loop = chartOf(runMachine, { spawned: { agent: agentMachine, turn: turnMachine, toolCall: toolCallMachine } });
const CHARTS: [string, Chart, 'full' | 'phases'][] = [
  ['parcel', nestedParcel, 'full'],
  ...[runMachine, agentMachine, turnMachine, toolCallMachine].map((machine): [string, Chart, 'full'] => [machine.id, chartOf(machine), 'full']),
  ['loop', loop, 'phases'],
  ['loop in full', loop, 'full'],
];

const groupsOf = (svg: string): Element[] => elementsOf(parseXml(svg)).filter((element) => element.name === 'g');
const textsOf = (group: Element): string => group.children.filter((child) => child.name === 'text').map((child) => child.text).join(' ');
/** Lines are folded between words and inside long ones: what was written is there without its spaces. */
const squeezed = (text: string): string => text.replace(/\s+/g, '');

describe('toSvg', () => {
  test('is well formed, has a title and a description, and nothing from outside', async () => {
    const svg = await toSvg(nestedParcel);
    const document = parseXml(svg);
    expect(document.attributes).toMatchObject({ xmlns: 'http://www.w3.org/2000/svg', role: 'img' });
    expect(document.children.slice(0, 2).map(({ name, text }) => [name, text])).toEqual([
      ['title', 'Statechart parcel'],
      ['desc', 'A parcel on its way: <weighed> & "sent". Top-level states: running, awaitingApproval, handoff, interrupted, settled. It ends in: handoff, interrupted, settled.'],
    ]);
    expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|@import|<script|href=/);
  });

  test.each(CHARTS.filter(([, , detail]) => detail === 'full'))('%s: every state, guard, action and description can be read', async (_, chart) => {
    const groups = groupsOf(await toSvg(chart));
    for (const one of [chart, ...spawnedCharts(chart)]) {
      for (const state of statesOf(one)) {
        const drawn = groups.filter((group) => group.attributes['data-state'] === state.id).map((group) => squeezed(textsOf(group)));
        const parts = [state.key, state.description ?? '', ...state.entry, ...state.invokes.map((invoke) => invoke.src)];
        expect(drawn.some((text) => parts.every((part) => text.includes(squeezed(part))))).toBe(true);
      }
      for (const transition of one.transitions) {
        const row = groups.find((group) => group.attributes['data-transition'] === transition.id);
        const text = squeezed(row === undefined ? '' : textsOf(row));
        if (transition.order === 1) expect(text).toContain(squeezed(transition.label));
        if (transition.guard !== undefined) expect(text).toContain(squeezed(`[${transition.guard}]`));
        for (const action of transition.actions) expect(text).toContain(squeezed(action));
        for (const target of transition.targets) expect(text).toContain(target === transition.source ? '→itself' : target.split('.').at(-1));
      }
    }
  });

  test('a reader finds why the machine can stop: what ends it is emphasised, with the colour of the end', async () => {
    const rows = groupsOf(await toSvg(parcel)).filter((group) => group.attributes['data-transition'] !== undefined);
    const emphasised = rows.filter((row) => classesOf(row).includes('ends')).map((row) => [row.attributes['data-transition'], classesOf(row)[1]]);
    expect(emphasised).toEqual([
      ['parcel/interrupt/1', 'interrupted'],
      ['parcel/xstate.done.actor.courier.*/1', 'settled'],
      ['parcel.running.weighing/xstate.done.actor.balance/3', 'handoff'],
      ['parcel.running.weighing/xstate.error.actor.balance/1', 'settled'],
      ['parcel.running.weighing/xstate.after.250.parcel.running.weighing/1', 'settled'],
      ['parcel.running.carrying/xstate.done.state.parcel.running.carrying/1', 'ends'],
      ['parcel.running.closing//1', 'settled'],
      ['parcel.awaitingApproval/*/1', 'handoff'],
    ]);
  });

  test('highlight draws the given states as active, and no others', async () => {
    const groups = groupsOf(await toSvg(parcel, { highlight: ['parcel.running', 'parcel.running.resting', 'elsewhere'] }));
    const active = groups.filter((group) => classesOf(group).includes('active')).map((group) => group.attributes['data-state']);
    expect(active).toEqual(['parcel.running', 'parcel.running.resting']);
  });

  test('a collapsed state hides its inside and keeps the ways out of it', async () => {
    const groups = groupsOf(await toSvg(parcel, { collapse: ['parcel.running'] }));
    expect(groups.some((group) => group.attributes['data-state']?.startsWith('parcel.running.'))).toBe(false);
    const running = groups.find((group) => group.attributes['data-state'] === 'parcel.running');
    expect(textsOf(running ?? { name: '', attributes: {}, children: [], text: '' })).toMatch(/^running …/);
    const out = groups.filter((group) => group.attributes['data-transition']?.startsWith('parcel.running.weighing/')).map((group) => group.attributes['data-transition']);
    expect(out).toContain('parcel.running.weighing/xstate.error.actor.balance/1');
    expect(out).not.toContain('parcel.running.weighing/xstate.done.actor.balance/1');
  });

  test('a way back into a state that is around its source leads to where that state begins', () => {
    const restart = figureOf(parcel).wires.find((wire) => wire.transition === 'parcel.running/restart/1');
    expect(restart).toMatchObject({ from: 'parcel.running/any', to: 'parcel.running/start' });
  });

  test('a state that is not there cannot be collapsed', async () => {
    await expect(toSvg(parcel, { collapse: ['parcel.nowhere'] })).rejects.toThrow('Cannot collapse "parcel.nowhere": chart "parcel" has no state with this id.');
  });

  test('draws machines without the five words, without transitions, and without states', async () => {
    for (const machine of [lampMachine, createMachine({ id: 'still', type: 'parallel', states: { a: {}, b: {} } }), createMachine({ id: 'bare', on: { tick: { actions: () => {} } } })]) {
      expect(parseXml(await toSvg(chartOf(machine))).attributes.role).toBe('img');
    }
  });
});

describe.each(CHARTS)('layout of %s', (_, chart, detail) => {
  const layout = layoutOf(figureOf(chart, { detail }));

  test('boxes lie beside each other; only what belongs inside lies inside', async () => {
    const { boxes, width, height } = await layout;
    expect(boxes.filter((box) => !isInside(box, { x: 0, y: 0, width, height }))).toEqual([]);
    expect(pairsOf(boxes).filter(([box, other]) => !areApart(box, other) && !(isInside(other, box) && belongsInside(other, box)))).toEqual([]);
  });

  test('text lies inside its box, and no two texts overlap', async () => {
    const texts = (await layout).boxes.flatMap(textsOn);
    expect(texts.filter((text) => !isInside(text, text.box))).toEqual([]);
    expect(pairsOf(texts).filter(([one, other]) => !areApart(one, other))).toEqual([]);
  });

  test('wires run straight, through no text and no plain box', async () => {
    const { boxes, routes } = await layout;
    const stretches = routes.flatMap(stretchesOf);
    expect(stretches.filter(({ width, height }) => width > 0 && height > 0)).toEqual([]);
    const obstacles = [...boxes.filter((box) => isPlain(box, boxes)), ...boxes.flatMap(textsOn)];
    expect(stretches.flatMap((stretch) => obstacles.filter((obstacle) => crosses(stretch, obstacle)))).toEqual([]);
  });

  test('every wire leaves from its row and arrives at its target', async () => {
    const { boxes, routes } = await layout;
    const find = (key: string): Placed => boxes.find((box) => box.key === key) as Placed;
    for (const { from, to, row, points } of routes) {
      const start = points[0] ?? { x: -1, y: -1 };
      const source = find(from);
      if (row !== undefined) expect(start).toEqual({ x: source.x + source.width, y: source.y + (source.rows[row]?.y ?? -1) });
      else expect(isOnBorder(start, source)).toBe(true);
      expect(isOnBorder(points.at(-1) ?? start, find(to))).toBe(true);
    }
    expect(new Set(routes.map((route) => route.key)).size).toBe(routes.length);
  });
});

describe('text', () => {
  test('folds between words, inside long words after a dot or before a capital, and never loses a letter', () => {
    expect(wrap('one two three', textWidth('one two', 10), 10)).toEqual(['one two', 'three']);
    expect(wrap('running.awaitingApproval', textWidth('running.awaiting', 10), 10)).toEqual(['running.awaiting', 'Approval']);
    expect(wrap('mmmmmm', textWidth('mm', 10), 10)).toEqual(['mm', 'mm', 'mm']);
    expect(wrap('', 100, 10)).toEqual(['']);
  });
});

describe('palette', () => {
  test.each(['light', 'dark'] as const)('in the %s theme every text stands at 4.5:1 or better on what it lies on', (theme) => {
    const { page, text, dim } = PAGES[theme];
    for (const word of WORDS) {
      const { line, fill } = PALETTE[theme][word];
      for (const ink of [text, dim, line]) for (const paper of [page, fill]) expect(contrast(ink, paper)).toBeGreaterThanOrEqual(4.5);
    }
  });
});

interface Rectangle { x: number; y: number; width: number; height: number }

const spawnedCharts = (chart: Chart): Chart[] => statesOf(chart).flatMap((state) => state.spawned.flatMap((inner) => [inner.chart, ...spawnedCharts(inner.chart)]));

const areApart = (one: Rectangle, other: Rectangle): boolean =>
  one.x + one.width <= other.x || other.x + other.width <= one.x || one.y + one.height <= other.y || other.y + other.height <= one.y;

const pairsOf = <Item>(items: readonly Item[]): [Item, Item][] => items.flatMap((one, index) => items.slice(index + 1).map((other): [Item, Item] => [one, other]));

const isInside = (inner: Rectangle, outer: Rectangle): boolean =>
  inner.x >= outer.x && inner.y >= outer.y && inner.x + inner.width <= outer.x + outer.width && inner.y + inner.height <= outer.y + outer.height;

/** Boxes come parents first, and a key begins with the key of what is around it. */
function belongsInside(inner: Placed, outer: Placed): boolean {
  if (outer.kind === 'anywhere') return inner.key.startsWith(`${outer.key.slice(0, -'/any'.length)}>`);
  return inner.key.startsWith(outer.key) && /^[./>]/.test(inner.key.slice(outer.key.length));
}

const isPlain = (box: Placed, boxes: readonly Placed[]): boolean => box.kind !== 'initial' && !boxes.some((other) => other !== box && isInside(other, box));

/** A stretch crosses when it enters the inside; along a border or up to it is fine. */
const crosses = (stretch: Rectangle, { x, y, width, height }: Rectangle): boolean =>
  stretch.x < x + width && stretch.x + stretch.width > x && stretch.y < y + height && stretch.y + stretch.height > y;

function stretchesOf({ points }: Route): Rectangle[] {
  return points.slice(1).map((to, index) => {
    const from = points[index] ?? to;
    return { x: Math.min(from.x, to.x), y: Math.min(from.y, to.y), width: Math.abs(from.x - to.x), height: Math.abs(from.y - to.y) };
  });
}

interface Text extends Rectangle {
  text: string;
  box: Placed;
}

/** From just above the small letters to the baseline and a little below: what the eye takes for the line. */
function textsOn(box: Placed): Text[] {
  const rectangle = (text: string, x: number, baseline: number, width: number): Text => ({ text, box, x, y: baseline - 8, width, height: 10 });
  const head = box.head.map(({ text, style, x, y }) => rectangle(text, box.x + box.headShift + x, box.y + y, lineWidth(text, style)));
  const rows = box.rows.flatMap(({ lines, chip, y, ends }) => {
    const chipWidth = lineWidth(chip, 'guard', ends);
    const texts = lines.map((line) => rectangle(line.text, box.x + line.x, box.y + line.y, lineWidth(line.text, line.style, ends)));
    return chip === '' ? texts : [...texts, rectangle(chip, box.x + box.width - MARGIN - chipWidth, box.y + y + 4, chipWidth)];
  });
  return [...head, ...rows];
}

function isOnBorder({ x, y }: { x: number; y: number }, box: Placed): boolean {
  const within = x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
  return within && (x === box.x || x === box.x + box.width || y === box.y || y === box.y + box.height);
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.03928 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
