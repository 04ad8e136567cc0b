import type { Chart, ChartState, ChartTransition } from './graph.ts';
import { outlineOf, type OutlineOptions } from './outline.ts';
import { conditionOf, factsOf, titleOf } from './rows.ts';
import { PALETTE, WORDS } from './words.ts';

/**
 * Writes a chart as a Mermaid `stateDiagram-v2`, which GitHub and most documentation tools draw.
 *
 * Transitions read `event [guard] / actions`; where several candidates share an event they are numbered in the order in which they are
 * tried. What holds everywhere in a machine leaves from a state of its own, because Mermaid has no box for the machine.
 *
 * @throws RangeError when `collapse` names a state that is not in the chart.
 *
 * @example
 * ```ts
 * import { chartOf, toMermaid } from 'loopchart/visualizations';
 * import { createMachine } from 'xstate';
 *
 * console.log(toMermaid(chartOf(createMachine({ id: 'lamp', initial: 'off', states: { off: { on: { press: 'on' } }, on: {} } }))));
 * ```
 */
export function toMermaid(chart: Chart, options: OutlineOptions = {}): string {
  const page: Page = { taken: new Set(), classed: new Map(), arrows: [], outline: options.detail === 'phases' };
  const states = machineLines(page, outlineOf(chart, options));
  const classes = [...page.classed].map(([name, ids]) => `class ${ids.join(',')} ${name}`);
  const lines = [...LEGEND, ...states, ...page.arrows, ...classes];
  return `${['---', `title: ${JSON.stringify(chart.id)}`, '---', 'stateDiagram-v2', ...indented(lines)].join('\n')}\n`;
}

interface Page {
  taken: Set<string>;
  /** Ids by the class that colours them. */
  classed: Map<string, string[]>;
  /** Kept for the end of the page: Mermaid moves a state into the box in which an arrow names it. */
  arrows: string[];
  outline: boolean;
}

interface Machine extends Page {
  chart: Chart;
  nameOf: (state: string) => string;
  anywhere: (state: string) => string;
}

/** The five words and their colours; the dark text stands on the light fill in both of GitHub's themes. */
const LEGEND = [
  ...WORDS.map((word) => `classDef ${word} fill:${PALETTE.light[word].fill},stroke:${PALETTE.light[word].line},color:${PALETTE.light[word].line}`),
  'classDef anywhere fill:#ffffff,stroke:#6e7781,color:#1b1f24,stroke-dasharray:5 4',
];

function machineLines(page: Page, chart: Chart): string[] {
  const names = new Map<string, string>();
  const nameOf = (state: string): string => {
    const known = names.get(state);
    if (known !== undefined) return known;
    const name = unique(state.replace(/[^A-Za-z0-9]+/g, '_'), page.taken);
    names.set(state, name);
    return name;
  };
  const machine: Machine = { ...page, chart, nameOf, anywhere: (state) => nameOf(`${state}/anywhere`) };
  const lines = insideLines(machine, chart.root);
  page.arrows.push(...chart.transitions.flatMap((transition) => arrowLines(machine, transition)));
  return lines;
}

function insideLines(machine: Machine, state: ChartState): string[] {
  const { chart, nameOf, anywhere } = machine;
  const here = chart.transitions.filter(({ source }) => source === state.id);
  const lines = state.initial === undefined ? [] : [`[*] --> ${nameOf(state.initial)}`];
  if (here.some((transition) => leavesFromInside(chart, transition)) || (state === chart.root && here.length > 0)) {
    lines.push(`state "anywhere in ${text(state.key)}" as ${anywhere(state.id)}`, ...stillLines(anywhere(state.id), here));
    colour(machine, 'anywhere', anywhere(state.id));
  }
  state.states.forEach((child, index) => {
    if (state.type === 'parallel' && index > 0) lines.push('--');
    lines.push(...stateLines(machine, child));
  });
  for (const { chart: inner } of state.spawned) {
    const name = unique(`${inner.id.replace(/[^A-Za-z0-9]+/g, '_')}_machine`, machine.taken);
    colour(machine, 'anywhere', name);
    lines.push(`state "${text(inner.id)}" as ${name} {`, ...indented(machineLines(machine, inner)), '}');
  }
  return lines;
}

function stateLines(machine: Machine, state: ChartState): string[] {
  const name = machine.nameOf(state.id);
  if (state.word !== undefined) colour(machine, state.word, name);
  const declaration = `state "${text(titleOf(state))}" as ${name}`;
  const inside = insideLines(machine, state);
  const ending = state.type === 'final' ? [`${name} --> [*]`] : [];
  const isComposite = state.states.length > 0 || state.spawned.length > 0;
  const own = machine.chart.transitions.filter(({ source }) => source === state.id);
  if (isComposite) return [`${declaration} {`, ...indented(inside), '}', ...noteLines(name, state)];
  return [declaration, ...textsOf(state).map((line) => `${name} : ${line}`), ...stillLines(name, own), ...ending];
}

/** A transition to what is inside its source, or to the source itself, cannot leave from the box around it. */
const leavesFromInside = (chart: Chart, { source, targets, internal }: ChartTransition): boolean =>
  source !== chart.root.id && (internal || targets.includes(source)) && (stateIn(chart.root, source)?.states.length ?? 0) > 0;

function arrowLines(machine: Machine, transition: ChartTransition): string[] {
  const { chart, nameOf, anywhere } = machine;
  const inside = transition.source === chart.root.id || leavesFromInside(chart, transition);
  const from = inside ? anywhere(transition.source) : nameOf(transition.source);
  const label = machine.outline ? '' : ` : ${labelOf(transition)}`;
  return transition.targets.map((target) => {
    const end = entryOf(chart, transition.source, target);
    return `${from} --> ${end === chart.root.id ? anywhere(end) : nameOf(end)}${label}`;
  });
}

/** An arrow cannot reach a box from its own inside; it leads to where that box begins. */
function entryOf(chart: Chart, source: string, target: string): string {
  const state = stateIn(chart.root, target);
  const isAround = state !== undefined && state.states.length > 0 && stateIn(state, source) !== undefined;
  return isAround && state.initial !== undefined ? entryOf(chart, source, state.initial) : target;
}

/** What changes nothing but the context is a line in the state, not an arrow. */
function stillLines(name: string, transitions: readonly ChartTransition[]): string[] {
  return transitions.filter(({ targets }) => targets.length === 0).map((transition) => `${name} : ${labelOf(transition)}`);
}

/** Mermaid shows no text inside a box that has states; beside a plain state a note would only push the others away. */
function noteLines(name: string, state: ChartState): string[] {
  const lines = textsOf(state);
  return lines.length === 0 ? [] : [`note right of ${name}`, ...indented(lines), 'end note'];
}

const textsOf = (state: ChartState): string[] => [state.description ?? '', ...factsOf(state)].filter((line) => line.trim() !== '').map(folded);

function labelOf(transition: ChartTransition): string {
  const condition = conditionOf(transition);
  const first = condition === undefined ? transition.label : `${transition.label} ${condition}`;
  return [first, ...(transition.actions.length > 0 ? [`/ ${transition.actions.join(', ')}`] : [])].map(folded).join('<br/>');
}

const LINE = 36;

function folded(sentence: string): string {
  const lines = [''];
  for (const word of sentence.trim().split(/\s+/)) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (longer.length <= LINE || lines.at(-1) === '') lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map(text).join('<br/>');
}

/**
 * Mermaid ends a label at `:` and `;` and reads `#`, `%`, quotes, brackets and angles as its own; their codes are drawn as themselves.
 * The words "direction LR" turn the whole diagram wherever they stand, so their first letter is written as a code too.
 */
const text = (raw: string): string =>
  raw
    .replace(/[\s\p{Cc}\p{Cs}]+/gu, ' ')
    .replace(/[#;:"'`<>{}%&\\|~^@$]|d(?=irection (?:TB|BT|LR|RL))/g, (character) => `#${character.charCodeAt(0)};`);

function unique(name: string, taken: Set<string>): string {
  let candidate = name;
  for (let copy = 2; taken.has(candidate); copy += 1) candidate = `${name}_${copy}`;
  taken.add(candidate);
  return candidate;
}

function colour(page: Page, name: string, id: string): void {
  page.classed.set(name, [...(page.classed.get(name) ?? []), id]);
}

function stateIn(state: ChartState, id: string): ChartState | undefined {
  if (state.id === id) return state;
  for (const child of state.states) {
    const found = stateIn(child, id);
    if (found !== undefined) return found;
  }
  return undefined;
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
