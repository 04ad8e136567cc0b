export { chartOf, endingsOf, statesOf } from './graph.ts';
export type { Chart, ChartOptions, ChartState, ChartTransition, TriggerKind } from './graph.ts';
export { toMermaid } from './mermaid.ts';
export type { OutlineOptions } from './outline.ts';
export { toSvg } from './svg.ts';
export type { SvgOptions } from './svg.ts';
export { PALETTE, WORD_MEANINGS, WORDS } from './words.ts';
export type { Tint, Word } from './words.ts';
