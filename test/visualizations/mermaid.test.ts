import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chartOf, statesOf, toMermaid, WORDS, type Chart, type ChartState } from 'loopchart/visualizations';
import { courierMachine, lampMachine, parcelMachine } from './parcel.ts';

const NAME = '[A-Za-z0-9_]+';
const LABEL = '(?:[^#;:{}]|#\\d+;)+';
/** Every line that a state diagram of ours may have. */
const LINE = new RegExp(
  `^ *(?:classDef ${NAME} \\S.*|class ${NAME}(?:,${NAME})* ${NAME}|state "${LABEL}" as ${NAME}(?: \\{)?|\\}|--|(?:\\[\\*\\]|${NAME}) --> (?:\\[\\*\\]|${NAME})(?: : ${LABEL})?|${NAME} : ${LABEL}|note right of ${NAME}|end note)$`,
);

const parcel = chartOf(parcelMachine);
const linesOf = (mermaid: string): string[] => mermaid.trimEnd().split('\n').map((line) => line.trim());
const unescaped = (text: string): string => text.replaceAll('<br/>', ' ').replace(/#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));

/** Throws unless the text is a diagram whose boxes close and whose arrows lead from and to states that are declared once. */
function checkDiagram(mermaid: string): void {
  const [, , , kind, ...body] = mermaid.trimEnd().split('\n');
  expect(kind).toBe('stateDiagram-v2');
  const declared = body.flatMap((line) => new RegExp(`^ *state ".*" as (${NAME})`).exec(line)?.[1] ?? []);
  expect(new Set(declared).size).toBe(declared.length);
  let depth = 0;
  let inNote = false;
  for (const line of body) {
    const isNoteText = inNote && line.trim() !== 'end note';
    if (!isNoteText) expect(line).toMatch(LINE);
    if (line.endsWith('{')) depth += 1;
    if (line.trim() === '}') depth -= 1;
    expect(depth).toBeGreaterThanOrEqual(0);
    inNote = line.trim().startsWith('note ') || (inNote && line.trim() !== 'end note');
    const arrow = /^ *(\S+) --> (\S+)/.exec(line);
    for (const end of arrow?.slice(1) ?? []) if (end !== '[*]') expect(declared).toContain(end);
  }
  expect(depth).toBe(0);
}

describe('toMermaid', () => {
  test('writes a whole small chart', () => {
    const withoutLegend = linesOf(toMermaid(chartOf(lampMachine))).filter((line) => !line.startsWith('classDef'));
    expect(withoutLegend).toEqual([
      '---',
      'title: "lamp"',
      '---',
      'stateDiagram-v2',
      '[*] --> lamp_off',
      'state "off" as lamp_off',
      'lamp_off : press 2 else<br/>/ click',
      'state "on" as lamp_on',
      'lamp_off --> lamp_on : press 1 [hasPower]<br/>/ click',
      'lamp_on --> lamp_off : press',
    ]);
  });

  test('declares every state, and gives every transition an arrow or, when it leads nowhere, a line in its state', () => {
    const mermaid = toMermaid(parcel);
    checkDiagram(mermaid);
    const lines = linesOf(mermaid).map(unescaped);
    const titles: Record<string, string> = { back: 'back (history)' };
    for (const state of statesOf(parcel).slice(1)) expect(lines.filter((line) => line.startsWith(`state "${titles[state.key] ?? state.key}" as ${state.id.replaceAll('.', '_')}`))).toHaveLength(1);
    const labels = lines.filter((line) => new RegExp(`^${NAME}(?: --> ${NAME})? : `).test(line)).map((line) => line.slice(line.indexOf(' : ') + 3));
    for (const transition of parcel.transitions) {
      const place = transition.of > 1 ? [String(transition.order)] : [];
      const condition = transition.guard === undefined ? (transition.of > 1 ? ['else'] : []) : [`[${transition.guard}]`];
      const actions = transition.actions.length > 0 ? [`/ ${transition.actions.join(', ')}`] : [];
      expect(labels).toContain([transition.label, ...place, ...condition, ...actions].join(' '));
    }
  });

  test('an arrow between a box and its own inside has both ends inside: Mermaid cannot draw it otherwise', () => {
    const lines = linesOf(toMermaid(parcel));
    expect(lines).toContain('parcel_anywhere --> parcel_interrupted : interrupt');
    expect(lines).toContain('parcel_running_anywhere --> parcel_running_weighing : restart');
    expect(lines).toContain('parcel_running_carrying --> parcel_running_closing : done inside');
  });

  test('arrows stand after all boxes: Mermaid moves a state into the box in which an arrow names it', () => {
    const lines = linesOf(toMermaid(chartOf(parcelMachine, { spawned: { courier: courierMachine } })));
    const arrows = lines.flatMap((line, index) => (/^(?!\[\*\]).* --> (?!\[\*\])/.test(line) ? [index] : []));
    expect(Math.min(...arrows)).toBeGreaterThan(lines.lastIndexOf('}'));
  });

  test('one legend colours the five words, and every state of a word has its class', () => {
    const lines = linesOf(toMermaid(parcel));
    expect(lines.filter((line) => line.startsWith('classDef')).map((line) => line.split(' ')[1])).toEqual([...WORDS, 'anywhere']);
    expect(lines).toContain('class parcel_awaitingApproval awaitingApproval');
    expect(lines.find((line) => line.endsWith(' running'))?.split(' ')[1]?.split(',')).toEqual(
      statesOf(parcel).filter((state) => state.word === 'running').map((state) => state.id.replaceAll('.', '_')),
    );
  });

  test('final states lead to the end, regions of a parallel state are divided, a machine spawned in a state stands in its box', () => {
    const mermaid = toMermaid(chartOf(parcelMachine, { spawned: { courier: courierMachine } }));
    checkDiagram(mermaid);
    const lines = linesOf(mermaid);
    expect(lines.filter((line) => line.endsWith('--> [*]'))).toEqual(
      ['courier_settled', 'courier_interrupted', 'parcel_handoff', 'parcel_interrupted', 'parcel_settled'].map((name) => `${name} --> [*]`),
    );
    expect(lines.filter((line) => line === '--')).toHaveLength(1);
    expect(lines.indexOf('state "courier" as courier_machine {')).toBeGreaterThan(lines.indexOf('state "carrying" as parcel_running_carrying {'));
  });

  test('a box says what its state does in a note, a plain state in itself', () => {
    const lines = linesOf(toMermaid(parcel));
    const note = lines.indexOf('note right of parcel_running_carrying');
    expect(lines.slice(note, note + 4)).toEqual(['note right of parcel_running_carrying', 'spawn / courier', 'spawn / observer', 'end note']);
    expect(lines).toContain('parcel_running_weighing : entry / weigh');
  });

  test('an outline of phases has names and arrows only, and nothing below a phase', () => {
    const mermaid = toMermaid(parcel, { detail: 'phases' });
    checkDiagram(mermaid);
    expect(mermaid).not.toMatch(/ : |left|note/);
    expect(linesOf(mermaid)).toContain('state "carrying …" as parcel_running_carrying');
  });

  test('any name and any text gives a diagram that holds together', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }), { minLength: 2, maxLength: 5 }), (names) => {
        checkDiagram(toMermaid(oddChart(names)));
      }),
      { seed: 1, numRuns: 200, examples: [[[' ', '\n']], [['-->', ':;#{}"']], [['[*]', 'end note', '}', '%%']], [['__proto__', 'constructor', '…']]] },
    );
  });
});

/** States, guards and actions named as given; each state leads to the next. */
function oddChart(names: readonly string[]): Chart {
  const state = (id: string, key: string): ChartState => ({ id, key, type: 'atomic', tags: [], description: key, entry: [key], exit: [], invokes: [], spawns: [], spawned: [], states: [] });
  const ids = names.map((name, index) => `odd.${name}.${index}`);
  return {
    id: 'odd',
    root: { ...state('odd', 'odd'), type: 'compound', initial: ids[0], states: names.map((name, index) => state(ids[index] ?? '', name)) },
    transitions: ids.map((source, index) => ({
      id: `${source}/e/1`, source, kind: 'event', event: 'e', label: names[index] ?? '', guard: names[index], actions: [...names],
      targets: [ids[(index + 1) % ids.length] ?? ''], internal: false, order: 1, of: 1,
    })),
  };
}
