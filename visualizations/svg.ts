import { figureOf } from './figure.ts';
import type { Chart, ChartState } from './graph.ts';
import { layoutOf, type Layout, type Placed, type Point, type Route } from './layout.ts';
import type { OutlineOptions } from './outline.ts';
import { lineWidth, MARGIN, type Line } from './rows.ts';
import { ROOT, styleSheet } from './theme.ts';
import { WORD_MEANINGS, WORDS, type Word } from './words.ts';

export interface SvgOptions extends OutlineOptions {
  /** Ids of states to draw as active, for example those of a snapshot. Ids of other charts are passed over. */
  highlight?: readonly string[];
}

/**
 * Draws a chart as one self-contained SVG document: no script, no font, light or dark as the reader prefers.
 *
 * The same input gives the same bytes on every machine. Groups carry `data-state` and `data-transition` ids, so that a page can light them up.
 *
 * @throws Error when the package `elkjs` is not installed: it computes the layout and is an optional peer dependency.
 *
 * @example
 * ```ts
 * import { chartOf, toSvg } from 'loopchart/visualizations';
 * import { createMachine } from 'xstate';
 *
 * const svg = await toSvg(chartOf(createMachine({ id: 'lamp', initial: 'off', states: { off: { on: { press: 'on' } }, on: {} } })));
 * ```
 */
export async function toSvg(chart: Chart, options: SvgOptions = {}): Promise<string> {
  const layout = await layoutOf(figureOf(chart, options));
  return paint(chart, layout, new Set(options.highlight));
}

/** For readers who hear the drawing. */
function summaryOf(chart: Chart): string {
  const names = (states: readonly ChartState[]): string => states.map((state) => state.key).join(', ') || 'none';
  const ends = chart.root.states.filter((state) => state.type === 'final');
  return `${chart.description ?? ''} Top-level states: ${names(chart.root.states)}. It ends in: ${names(ends)}.`.trim();
}

const EDGE = 16;
const LEGEND = 34;

function paint(chart: Chart, layout: Layout, active: ReadonlySet<string>): string {
  const words = WORDS.filter((word) => layout.boxes.some((box) => box.word === word));
  const legend = legendOf(words);
  const width = Math.max(layout.width, legend.width) + 2 * EDGE;
  const height = layout.height + LEGEND + 2 * EDGE;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" class="${ROOT}" role="img">`,
    `<title>${escape(`Statechart ${chart.id}`)}</title>`,
    `<desc>${escape(summaryOf(chart))}</desc>`,
    `<style>${styleSheet()}</style>`,
    `<defs>${['plain', 'ends', ...words].map(arrowOf).join('')}</defs>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    legend.svg,
    `<g transform="translate(${EDGE} ${EDGE + LEGEND})">`,
    ...layout.boxes.map((box) => boxSvg(box, box.kind !== 'anywhere' && active.has(box.state))),
    ...byWeight(layout.routes).map(routeSvg),
    '</g>',
    '</svg>',
  ].filter((part) => part !== '').join('\n')}\n`;
}

function boxSvg(box: Placed, active: boolean): string {
  const place = `x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}"`;
  if (box.kind === 'initial') return `<circle class="start" cx="${box.x + box.width / 2}" cy="${box.y + box.height / 2}" r="5"/>`;
  const classes = [box.kind, box.word, box.kind === 'machine' && box.level > 0 && 'spawned', active && 'active'].filter(Boolean).join(' ');
  const role = box.kind === 'anywhere' ? 'anywhere' : 'state';
  const parts = [`<g class="${classes}" data-${role}="${escape(box.state)}">`, `<rect class="box" ${place} rx="${box.kind === 'machine' ? 4 : 8}"/>`];
  if (box.final) parts.push(`<rect class="inner" x="${box.x + 3}" y="${box.y + 3}" width="${box.width - 6}" height="${box.height - 6}" rx="6"/>`);
  if (box.rows.length > 0 && box.kind === 'state') {
    const top = box.y + (box.head.at(-1)?.y ?? 0) + 7;
    parts.push(`<path class="rule" d="M${box.x} ${top}h${box.width}"/>`);
  }
  parts.push(...box.head.map((line) => lineSvg(line, box, box.headShift)));
  for (const row of box.rows) {
    parts.push(`<g class="${['row', row.word, row.ends && 'ends'].filter(Boolean).join(' ')}" data-transition="${escape(row.transition)}">`);
    parts.push(...row.lines.map((line) => lineSvg(line, box)));
    if (row.chip !== '') parts.push(`<text class="chip" x="${box.x + box.width - MARGIN}" y="${box.y + row.y + 4}">${escape(row.chip)}</text>`);
    parts.push('</g>');
  }
  return `${parts.join('')}</g>`;
}

const lineSvg = (line: Line, box: Placed, shift = 0): string =>
  `<text class="${line.style}" x="${box.x + line.x + shift}" y="${box.y + line.y}">${escape(line.text)}</text>`;

/** Wires that share their last stretch lie on top of each other; the one that says most is painted last. */
function byWeight(routes: readonly Route[]): Route[] {
  const weight = ({ word, ends }: Route): number => (ends ? 2 : word === undefined ? 0 : 1);
  return routes.toSorted((one, other) => weight(one) - weight(other));
}

function routeSvg(route: Route): string {
  const transition = route.transition === undefined ? '' : ` data-transition="${escape(route.transition)}"`;
  const classes = ['wire', route.word, route.ends && 'ends'].filter(Boolean).join(' ');
  const dots = route.junctions.map(({ x, y }) => `<circle class="head ${route.word ?? (route.ends ? 'ends' : 'plain')}" cx="${x}" cy="${y}" r="2.5"/>`).join('');
  return `<path class="${classes}"${transition} d="${pathOf(route.points)}" marker-end="url(#${ROOT}-${route.word ?? (route.ends ? 'ends' : 'plain')})"/>${dots}`;
}

const CORNER = 5;

/** Straight stretches with rounded corners, which tell a bend from a crossing. */
function pathOf(points: readonly Point[]): string {
  return points.map((point, index) => {
    const before = points[index - 1];
    const after = points[index + 1];
    if (before === undefined) return `M${point.x} ${point.y}`;
    if (after === undefined) return `L${point.x} ${point.y}`;
    const from = towards(point, before);
    const to = towards(point, after);
    return `L${from.x} ${from.y}Q${point.x} ${point.y} ${to.x} ${to.y}`;
  }).join('');
}

function towards(from: Point, to: Point): Point {
  const step = Math.min(CORNER, Math.floor((Math.abs(to.x - from.x) + Math.abs(to.y - from.y)) / 2));
  return { x: from.x + Math.sign(to.x - from.x) * step, y: from.y + Math.sign(to.y - from.y) * step };
}

const arrowOf = (kind: string): string =>
  `<marker id="${ROOT}-${kind}" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="8" markerHeight="8" orient="auto"><path class="head ${kind}" d="M0 0L8 4L0 8z"/></marker>`;

function legendOf(words: readonly Word[]): { svg: string; width: number } {
  let x = EDGE;
  const parts = words.map((word) => {
    const text = `${word}: ${WORD_MEANINGS[word]}`;
    const svg = `<g class="state ${word}"><rect class="box" x="${x}" y="${EDGE}" width="16" height="14" rx="4"/><text class="description" x="${x + 22}" y="${EDGE + 11}">${escape(text)}</text></g>`;
    x += 22 + lineWidth(text, 'description') + 18;
    return svg;
  });
  return { svg: parts.join(''), width: x };
}

/** XML has no way to write control characters and half characters; a mark stands in their place. */
const escape = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '\ufffd').replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
