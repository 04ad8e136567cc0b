/** Colours by meaning. None where the stream is no terminal, or NO_COLOR is set. */
import { styleText } from 'node:util';
import type { WriteStream } from 'node:tty';

export type Tone = 'plain' | 'quiet' | 'person' | 'call' | 'good' | 'bad' | 'notice';
export type Paint = (tone: Tone, text: string) => string;

const STYLES = { quiet: 'dim', person: 'cyan', call: 'blue', good: 'green', bad: 'red', notice: 'yellow' } as const;

export function paintFor(stream: NodeJS.WriteStream | WriteStream): Paint {
  const colours = stream.isTTY && stream.hasColors();
  if (!colours) return (_, text) => text;
  return (tone, text) => (tone === 'plain' || text === '' ? text : styleText(STYLES[tone], text, { validateStream: false }));
}
