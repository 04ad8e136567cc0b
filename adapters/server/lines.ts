/** One message a line, over a pair of streams: standard input and output, mostly. */
import type { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Connection } from './connection.ts';
import type { ThreadServer } from './server.ts';

/** Resolves when the input has ended or the output is gone: then nobody is there any more. */
export async function serveLines(server: ThreadServer, { input, output }: { input: Readable; output: Writable }): Promise<void> {
  await new Promise<void>((gone) => {
    const connection = server.connect({
      send: (text, written) => void output.write(`${text}\n`, () => written()),
      close: () => gone(),
    });
    output.on('error', () => connection.close('The output is gone.'));
    input.on('error', () => connection.close('The input is gone.'));
    const lines = new Lines(connection);
    input.on('data', (chunk: Buffer | string) => lines.add(chunk));
    input.on('end', () => {
      lines.end();
      gone();
    });
  });
}

/** Puts chunks together to lines. Of a line that is too long no more is kept than what shows that it is. */
class Lines {
  readonly #connection: Connection;
  readonly #decoder = new StringDecoder('utf8');
  #parts: string[] = [];
  #length = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  add(chunk: Buffer | string): void {
    const [first = '', ...more] = (typeof chunk === 'string' ? chunk : this.#decoder.write(chunk)).split('\n');
    this.#keep(first);
    for (const part of more) {
      this.#take();
      this.#keep(part);
    }
  }

  end(): void {
    this.#keep(this.#decoder.end());
    this.#take();
  }

  #keep(part: string): void {
    if (this.#length <= this.#connection.mostCharacters) this.#parts.push(part);
    this.#length += part.length;
  }

  #take(): void {
    const line = this.#parts.join('');
    this.#parts = [];
    this.#length = 0;
    this.#connection.receive(line);
  }
}
