/** What a person sees of a program that draws the whole screen: letters at places. Sequences that move no letter are passed over; others are an error. */
const TOKENS = /\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b\[[?<=>]?[\d;:]*[ -/]*[@-~]|\u001b[^[\]]|[^]/gu;
/** Colours, modes, the form of the cursor, and questions to the terminal. */
const NO_LETTERS = 'mhlucnqr';

export function fullScreenOf(written: string, columns: number): string[] {
  const rows: string[][] = [];
  let [row, column] = [0, 0];
  const clear = (from: number) => void rows[row]?.splice(from);
  const put = (letter: string) => {
    const cells = (rows[row] ??= []);
    while (cells.length < column) cells.push(' ');
    cells[column] = letter;
    column = Math.min(column + 1, columns - 1);
  };
  for (const [token] of written.matchAll(TOKENS)) {
    if (token === '\r') column = 0;
    else if (token === '\n') row += 1;
    else if (!token.startsWith('\u001b')) put(token);
    else if (token.startsWith('\u001b[')) {
      const command = token.at(-1)!;
      if (command === 'H') [row, column] = placeIn(token);
      else if (command === 'K') clear(column);
      else if (command === 'J') {
        clear(column);
        rows.splice(row + 1);
      } else if (!NO_LETTERS.includes(command)) throw new Error(`The screen does not know ${JSON.stringify(token)}.`);
    }
  }
  return Array.from(rows, (cells = []) => cells.join('').trimEnd());
}

/** From one on, as terminals count. */
function placeIn(token: string): [row: number, column: number] {
  const [row = 1, column = 1] = token.slice(2, -1).split(';').map((number) => Number(number) || 1);
  return [row - 1, column - 1];
}
