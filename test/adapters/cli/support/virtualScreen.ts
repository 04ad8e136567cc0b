/**
 * What a person would see: the few sequences that the command writes, applied to rows of letters. Anything else is an error.
 * Chinese letters take two columns, marks on a letter none.
 */
export function screenOf(written: string, columns: number): string[] {
  const rows: string[][] = [[]];
  let row = 0;
  let column = 0;
  const put = (letter: string) => {
    const width = /\p{M}/u.test(letter) ? 0 : /[\u4e00-\u9fff]/.test(letter) ? 2 : 1;
    if (column + width > columns) {
      row += 1;
      column = 0;
    }
    const cells = (rows[row] ??= []);
    while (cells.length < column) cells.push(' ');
    if (width === 0) cells[column - 1] += letter;
    else cells.splice(column, width, letter, ...Array<string>(width - 1).fill(''));
    column += width;
  };
  for (const [token] of written.matchAll(/\u001b\[[0-9;?]*[A-Za-z]|[^]/gu)) {
    if (token === '\r') column = 0;
    else if (token === '\n') {
      row += 1;
      rows[row] ??= [];
    } else if (token.startsWith('\u001b[')) {
      const count = Number(token.slice(2, -1)) || 1;
      const command = token.at(-1);
      if (command === 'A') row -= count;
      else if (command === 'C') column += count;
      else if (command === 'J') {
        rows.length = row + 1;
        rows[row] = rows[row]!.slice(0, column);
      } else if (command !== 'm' && command !== 'h' && command !== 'l') throw new Error(`The screen does not know ${JSON.stringify(token)}.`);
    } else if (token < ' ') throw new Error(`A control character reached the screen: ${JSON.stringify(token)}.`);
    else put(token);
    if (row < 0) throw new Error('The cursor left the screen at the top.');
  }
  return rows.map((cells) => cells.join('').trimEnd());
}
