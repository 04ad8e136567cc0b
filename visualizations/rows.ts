import type { ChartState, ChartTransition } from './graph.ts';
import { textWidth, wrap } from './text.ts';
import type { Word } from './words.ts';

export type LineStyle = 'name' | 'title' | 'description' | 'fact' | 'event' | 'guard' | 'actions';

/** Sizes are in SVG units; `advance` is the distance from one baseline to the next. */
export const STYLES: Readonly<Record<LineStyle, { size: number; bold: boolean; advance: number }>> = {
  name: { size: 19, bold: true, advance: 25 },
  title: { size: 14, bold: true, advance: 20 },
  description: { size: 10.5, bold: false, advance: 14 },
  fact: { size: 10.5, bold: false, advance: 15 },
  event: { size: 11, bold: true, advance: 16 },
  guard: { size: 11.5, bold: false, advance: 16 },
  actions: { size: 10, bold: false, advance: 13 },
};

export interface Line {
  text: string;
  style: LineStyle;
  /** From the top left corner of the box to the start of the baseline. */
  x: number;
  y: number;
}

/** A transition inside the box that it leaves: its text, and where its arrow starts. */
export interface Row {
  transition: string;
  lines: Line[];
  /** Where the arrow leaves, from the top of the box. */
  y: number;
  /** Where it goes, in words; stands at the right edge of the box. */
  chip: string;
  /** The word it leads to, when that is another than the word it leaves. */
  word?: Word;
  /** True when it ends the machine. */
  ends: boolean;
}

/** Left and right margin of everything inside a box. */
export const MARGIN = 10;

const TEXT_WIDTH_MAX = 250;
const INDENT = 12;
const CHIP_GAP = 14;
const GROUP_GAP = 7;

export interface RowSource {
  transition: ChartTransition;
  chip: string;
  word?: Word;
  ends: boolean;
}

/**
 * Sets the transitions of one state as a table: an event once, under it its candidates in the order in which they are tried.
 * `top` is the distance from the top of the box to the first row.
 */
export function setRows(sources: readonly RowSource[], top: number): { rows: Row[]; width: number; height: number } {
  const rows: Row[] = [];
  let width = 0;
  let y = top;
  let group: string | undefined;
  for (const { transition, chip, word, ends } of sources) {
    const opensGroup = group !== groupOf(transition);
    group = groupOf(transition);
    if (opensGroup && rows.length > 0) y += GROUP_GAP;
    const lines: Line[] = [];
    const add = (text: string, style: LineStyle, x: number): void => {
      for (const part of wrap(text, TEXT_WIDTH_MAX - x + MARGIN, STYLES[style].size, true)) {
        y += STYLES[style].advance;
        lines.push({ text: part, style, x, y });
        width = Math.max(width, x + lineWidth(part, style, ends) + MARGIN);
      }
    };
    if (opensGroup) add(transition.label, 'event', MARGIN);
    const condition = conditionOf(transition);
    if (condition !== undefined) add(condition, 'guard', MARGIN + INDENT);
    const main = lines.at(-1) ?? { text: '', style: 'guard', x: MARGIN, y };
    if (chip !== '') width = Math.max(width, main.x + lineWidth(main.text, main.style, ends) + CHIP_GAP + lineWidth(chip, 'guard', ends) + MARGIN);
    if (transition.actions.length > 0) add(`/ ${transition.actions.join(', ')}`, 'actions', MARGIN + INDENT);
    rows.push({ transition: transition.id, lines, y: main.y - 4, chip, ends, ...(word !== undefined && { word }) });
  }
  return { rows, width, height: y - top };
}

/** Candidates for the same event of the same state share a heading. */
const groupOf = ({ id }: ChartTransition): string => id.slice(0, id.lastIndexOf('/'));

export const lineWidth = (text: string, style: LineStyle, bold = STYLES[style].bold): number => textWidth(text, STYLES[style].size, bold || STYLES[style].bold);

/** `undefined` when the event alone decides. */
export function conditionOf({ guard, order, of }: ChartTransition): string | undefined {
  const place = of > 1 ? `${order} ` : '';
  if (guard !== undefined) return `${place}[${guard}]`;
  return of > 1 ? `${place}else` : undefined;
}

export function titleOf({ key, type, collapsed }: ChartState): string {
  if (type === 'history') return `${key} (history)`;
  return collapsed ? `${key} …` : key;
}

/** What a state does besides its transitions, a line each; machines that are drawn inside it need no words. */
export function factsOf(state: ChartState): string[] {
  const drawn = new Set(state.spawned.map(({ name }) => name));
  return [
    ...state.invokes.map(({ id, src }) => `invoke / ${id === src ? src : `${id}: ${src}`}`),
    ...state.spawns.filter((name) => !drawn.has(name)).map((name) => `spawn / ${name}`),
    ...(state.entry.length > 0 ? [`entry / ${state.entry.join(', ')}`] : []),
    ...(state.exit.length > 0 ? [`exit / ${state.exit.join(', ')}`] : []),
  ];
}
