/** Command lines as the protocol has them: words, quoted for a shell. Clients take them apart, and show what they understood. */

/** @example commandLine('pay', '{"to":"Ann"}') // pay '{"to":"Ann"}' */
export const commandLine = (...words: string[]): string => words.map(quoted).join(' ');

/** What a shell is to run. Only plain words stay as they are: of others a client would show one command where there are several. */
export const scriptLine = (script: string): string => (/^[\w@%+=:,./-]+( [\w@%+=:,./-]+)*$/.test(script) ? script : commandLine('sh', '-c', script));

const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll(`'`, `'\\''`)}'`);
