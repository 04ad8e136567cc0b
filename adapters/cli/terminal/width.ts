/** How many columns text takes on a terminal. */
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Letters as a person counts them: an accent or an emoji of several parts is one. */
export const graphemesOf = (text: string): string[] => (PLAIN.test(text) ? [...text] : Array.from(segmenter.segment(text), ({ segment }) => segment));

export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  return graphemesOf(text).reduce((sum, grapheme) => sum + columnsOf(grapheme), 0);
}

export function columnsOf(grapheme: string): number {
  if (NO_WIDTH.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}

/** The beginning of a text that fits, with an ellipsis where something is missing. */
export function fitted(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let fits = '';
  let used = 1;
  for (const grapheme of graphemesOf(text)) {
    used += columnsOf(grapheme);
    if (used > columns) break;
    fits += grapheme;
  }
  return columns < 1 ? '' : `${fits}…`;
}

/** The part of a text around the cursor that fits into a row, and the column of the cursor in it. */
export function windowed(text: string, cursor: number, columns: number): { text: string; column: number } {
  const before = graphemesOf(text.slice(0, cursor));
  let column = before.reduce((sum, grapheme) => sum + columnsOf(grapheme), 0);
  while (column > columns - 1 && before.length > 0) column -= columnsOf(before.shift()!);
  let shown = before.join('');
  let used = column;
  for (const grapheme of graphemesOf(text.slice(cursor))) {
    used += columnsOf(grapheme);
    if (used > columns) break;
    shown += grapheme;
  }
  return { text: shown, column };
}

const PLAIN = /^[\x20-\x7e]*$/;
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}\u200b-\u200f]+$/u;
/** East Asian wide letters and what is shown as a picture. */
const WIDE = /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\p{Emoji}\ufe0f)/u;
