/** The five top-level states that every machine of the loop shares; one legend serves every picture. */
export const WORDS = ['running', 'awaitingApproval', 'handoff', 'interrupted', 'settled'] as const;

export type Word = (typeof WORDS)[number];

/** What a reader is told about each word in the legend. */
export const WORD_MEANINGS: Readonly<Record<Word, string>> = {
  running: 'at work',
  awaitingApproval: 'a person must answer',
  handoff: 'another agent takes over',
  interrupted: 'ended now, from outside',
  settled: 'ended with an outcome',
};

/** `line` is for borders, arrows and emphasised text; `fill` lies under `text`. */
export interface Tint {
  line: string;
  fill: string;
}

/**
 * Hues of the Okabe-Ito palette, which stay apart under the common forms of colour blindness. Lines are darkened (light theme) or
 * lightened (dark theme) until they stand at 4.5:1 or better on the page and on their own fill; a test computes the ratios.
 */
export const PALETTE: Readonly<Record<'light' | 'dark', Readonly<Record<Word, Tint>>>> = {
  light: {
    running: { line: '#0060a0', fill: '#e8f2fa' },
    awaitingApproval: { line: '#8a5a00', fill: '#fdf3dc' },
    handoff: { line: '#98407a', fill: '#faedf5' },
    interrupted: { line: '#b04300', fill: '#fdeee4' },
    settled: { line: '#00694d', fill: '#e4f5ef' },
  },
  dark: {
    running: { line: '#6cb9f0', fill: '#10273a' },
    awaitingApproval: { line: '#f0b441', fill: '#33270c' },
    handoff: { line: '#e59cc6', fill: '#361c2d' },
    interrupted: { line: '#ff9455', fill: '#3a1e0d' },
    settled: { line: '#4fd0a8', fill: '#0c2e24' },
  },
};

export const isWord = (key: string): key is Word => (WORDS as readonly string[]).includes(key);
