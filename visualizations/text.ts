/**
 * Advance widths in hundredths of the font size, rounded up, of the widest common sans serif (DejaVu Sans); what fits with it fits with
 * Segoe, Roboto, Helvetica and Arial. A table, because a drawing must come out the same on machines with different fonts, or none.
 */
const ADVANCES: readonly (readonly [number, string])[] = [
  [30, "'IJijl"],
  [35, ' ,./:;\\|'],
  [40, '()-[]ft'],
  [45, '!r'],
  [50, '"*_`'],
  [55, '?csz'],
  [60, 'FLkvxy'],
  [65, '$0123456789EPSTYabdeghnopqu{}'],
  [70, 'ABCKRVXZ'],
  [75, 'NU'],
  [80, '&DGHOQ'],
  [85, '#+<=>^w~'],
  [90, 'M'],
  [100, '%@Wm'],
];

const WIDEST = 100;
const BOLD = 1.15;
const ADVANCE_OF = new Map(ADVANCES.flatMap(([advance, characters]) => [...characters].map((character) => [character, advance] as const)));

/** Upper bound of the width of `text`, in the unit of `size`; characters outside ASCII count as the widest. */
export function textWidth(text: string, size: number, bold = false): number {
  let hundredths = 0;
  for (const character of text) hundredths += ADVANCE_OF.get(character) ?? WIDEST;
  return Math.ceil((hundredths / 100) * size * (bold ? BOLD : 1));
}

/** Breaks at spaces, and inside words too long for a line: after a dot, before a capital, at last anywhere. Always at least one line. */
export function wrap(text: string, width: number, size: number, bold = false): string[] {
  const fits = (candidate: string): boolean => textWidth(candidate, size, bold) <= width;
  const lines: string[] = [];
  let line = '';
  const words = text.trim().split(/\s+/).flatMap((word) => breakWord(word, fits));
  for (const { piece, glued } of words) {
    const longer = line === '' ? piece : `${line}${glued ? '' : ' '}${piece}`;
    if (line === '' || fits(longer)) line = longer;
    else {
      lines.push(line);
      line = piece;
    }
  }
  return [...lines, line];
}

interface Piece {
  piece: string;
  /** True when the piece continues the word before it. */
  glued: boolean;
}

function breakWord(word: string, fits: (candidate: string) => boolean): Piece[] {
  if (fits(word)) return [{ piece: word, glued: false }];
  const humps = word.split(/(?<=[./])|(?=[A-Z])/).flatMap((hump) => (fits(hump) ? [hump] : [...hump]));
  return humps.map((piece, index) => ({ piece, glued: index > 0 }));
}
