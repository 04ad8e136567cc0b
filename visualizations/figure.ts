import { endingsOf, statesOf, type Chart, type ChartState, type ChartTransition } from './graph.ts';
import { outlineOf, type OutlineOptions } from './outline.ts';
import { factsOf, lineWidth, MARGIN, setRows, STYLES, titleOf, type Line, type LineStyle, type Row, type RowSource } from './rows.ts';
import { wrap } from './text.ts';
import type { Word } from './words.ts';

/** What is drawn, measured but not yet placed. */
export interface Box {
  /** Unique in the drawing: the state id, prefixed by where its machine is spawned. */
  key: string;
  kind: 'machine' | 'state' | 'anywhere' | 'initial';
  state: string;
  word?: Word;
  final: boolean;
  /** Title, description and facts. */
  head: Line[];
  /** The transitions that leave from here. */
  rows: Row[];
  children: Box[];
  /** Machines spawned here; each is laid out by itself, below the rows. */
  insets: Figure[];
  /** Room for the text alone, without children. */
  width: number;
  height: number;
}

export interface Wire {
  key: string;
  transition?: string;
  from: string;
  /** Index into the rows of the box it leaves; none for initial states and in outlines. */
  row?: number;
  to: string;
  /** The word it leads to, when that is another than the word it leaves. */
  word?: Word;
  /** True when it ends the machine. */
  ends: boolean;
}

export interface Figure {
  box: Box;
  wires: Wire[];
  /** Without rows; wires leave from the boxes themselves. */
  outline: boolean;
}

/** Turns a chart, with the charts spawned inside it, into measured boxes and the wires between them. */
export function figureOf(chart: Chart, options: OutlineOptions = {}): Figure {
  return machineFigure(outlineOf(chart, options), '', options.detail === 'phases');
}

interface Level {
  chart: Chart;
  /** Where this machine is spawned. */
  prefix: string;
  outline: boolean;
  wires: Wire[];
  states: ReadonlyMap<string, ChartState>;
  parents: ReadonlyMap<string, ChartState>;
  endings: ReadonlySet<string>;
}

function machineFigure(chart: Chart, prefix: string, outline: boolean): Figure {
  const all = statesOf(chart);
  const level: Level = {
    chart,
    prefix,
    outline,
    wires: [],
    states: new Map(all.map((state) => [state.id, state])),
    parents: new Map(all.flatMap((state) => state.states.map((child) => [child.id, state] as const))),
    endings: new Set(endingsOf(chart).map((state) => state.id)),
  };
  return { box: { ...stateBox(level, chart.root), kind: 'machine' }, wires: level.wires, outline };
}

const DOT = 14;

function stateBox(level: Level, state: ChartState): Box {
  const key = level.prefix + state.id;
  const head = headOf(state, level.outline ? 'name' : 'title');
  const exits = level.chart.transitions.filter(({ source }) => source === state.id);
  const shell = { key, kind: 'state' as const, state: state.id, ...(state.word && { word: state.word }), final: state.type === 'final', head: head.lines };
  const insets = state.spawned.map(({ chart }) => machineFigure(chart, `${key}>`, level.outline));
  if (state.states.length > 0) {
    return { ...shell, rows: [], children: [...anywhereBox(level, state, exits, insets), ...insideOf(level, state)], insets: [], width: head.width, height: head.height };
  }
  const { rows, width, height } = rowsOf(level, key, exits, head.height);
  return { ...shell, rows, children: [], insets, width: Math.max(head.width, width, 60), height: head.height + height + 8 };
}

/** The children, with the dot that marks where the state begins. */
function insideOf(level: Level, state: ChartState): Box[] {
  const children = state.states.map((child) => stateBox(level, child));
  if (state.initial === undefined) return children;
  const dot: Box = { key: dotOf(level, state.id), kind: 'initial', state: state.id, final: false, head: [], rows: [], children: [], insets: [], width: DOT, height: DOT };
  level.wires.push({ key: `${dot.key}/initial`, from: dot.key, to: level.prefix + state.initial, ends: false });
  return [dot, ...children];
}

/** What holds whatever goes on inside a state has a box of its own there: its transitions, and machines spawned beside its children. */
function anywhereBox(level: Level, state: ChartState, exits: readonly ChartTransition[], insets: Figure[]): Box[] {
  if (exits.length === 0 && insets.length === 0) return [];
  const key = `${level.prefix}${state.id}/any`;
  const title: Line = { text: level.outline ? 'anywhere' : `anywhere in ${state.key}`, style: 'description', x: MARGIN, y: 17 };
  const { rows, width, height } = rowsOf(level, key, exits, 22);
  const shell = { key, kind: 'anywhere' as const, state: state.id, ...(state.word && { word: state.word }), final: false, head: [title], rows, children: [], insets };
  return [{ ...shell, width: Math.max(width, lineWidth(title.text, title.style) + 2 * MARGIN), height: 22 + height + 8 }];
}

function rowsOf(level: Level, key: string, exits: readonly ChartTransition[], top: number): { rows: Row[]; width: number; height: number } {
  exits.forEach((transition, row) => {
    for (const target of transition.targets) {
      const to = endOf(level, transition.source, target);
      if (to === undefined || to === key) continue;
      const wire = { key: `${level.prefix}${transition.id}>${target}`, transition: transition.id, from: key, to, ...goalOf(level, transition) };
      level.wires.push(level.outline ? wire : { ...wire, row });
    }
  });
  if (level.outline) return { rows: [], width: 0, height: 0 };
  return setRows(exits.map((transition): RowSource => ({ transition, chip: chipOf(level, transition), ...goalOf(level, transition) })), top);
}

function goalOf(level: Level, { source, targets }: ChartTransition): { word?: Word; ends: boolean } {
  const from = level.states.get(source)?.word;
  const word = targets.map((target) => level.states.get(target)?.word).find((candidate) => candidate !== from);
  return { ...(word !== undefined && { word }), ends: targets.some((target) => level.endings.has(target)) };
}

/** The box a transition arrives at. Into its own source, or a state around it, it arrives at the dot: there the state begins anew. */
function endOf(level: Level, source: string, target: string): string | undefined {
  if (target !== source && !ancestorsOf(level, source).includes(target)) return level.prefix + target;
  return level.states.get(target)?.initial === undefined ? undefined : dotOf(level, target);
}

/** Ids, innermost first. */
function ancestorsOf(level: Level, id: string): string[] {
  const parent = level.parents.get(id);
  return parent === undefined ? [] : [parent.id, ...ancestorsOf(level, parent.id)];
}

/** The target by its own name when it stands beside the source, otherwise by its way from the root. */
function chipOf(level: Level, { source, targets, actions }: ChartTransition): string {
  if (targets.length === 0) return actions.length === 0 ? 'ignored' : '';
  const names = targets.map((target) => {
    if (target === source) return '→ itself';
    const beside = level.parents.get(target)?.id === level.parents.get(source)?.id;
    const path = [target, ...ancestorsOf(level, target).slice(0, -1)].map((id) => level.states.get(id)?.key).reverse();
    return `→ ${beside ? path.at(-1) : path.join('.')}`;
  });
  return names.join(' ');
}

function headOf(state: ChartState, style: 'title' | 'name'): { lines: Line[]; width: number; height: number } {
  const lines: Line[] = [];
  let y = 3;
  let width = 0;
  const add = (text: string, style: LineStyle): void => {
    for (const part of wrap(text, 260, STYLES[style].size, STYLES[style].bold)) {
      y += STYLES[style].advance;
      lines.push({ text: part, style, x: MARGIN, y });
      width = Math.max(width, lineWidth(part, style) + 2 * MARGIN);
    }
  };
  add(titleOf(state), style);
  if (state.description !== undefined) add(state.description, 'description');
  for (const fact of factsOf(state)) add(fact, 'fact');
  return { lines, width, height: y + 6 };
}

const dotOf = (level: Level, state: string): string => `${level.prefix}${state}/start`;
