/** What a person may say to the chat itself: lines that begin with a slash, read whole before anything is done. */
import { nearest } from '../nearest.ts';

export type ChatCommand =
  | { name: 'help' }
  | { name: 'usage' }
  | { name: 'quit' }
  | { name: 'stop' }
  | { name: 'compact' }
  | { name: 'close' }
  | { name: 'steer'; text: string }
  | { name: 'queue'; act: 'list' }
  | { name: 'queue'; act: 'resume' }
  | { name: 'queue'; act: 'add'; text: string }
  | { name: 'queue'; act: 'edit'; place: number; text: string }
  | { name: 'queue'; act: 'remove'; place: number }
  | { name: 'queue'; act: 'move'; place: number; to: number }
  /** `run`: behind which one, from 1; 0 is the beginning. */
  | { name: 'fork'; run?: number }
  | { name: 'revert'; run?: number }
  | { name: 'threads'; id?: string }
  /** Without a text: what it is; `off` ends it. */
  | { name: 'goal'; text?: string }
  | { name: 'rules'; remove?: number };

/** In the order in which the help shows them. */
export const COMMAND_HELP: readonly (readonly [usage: string, meaning: string])[] = [
  ['/steer TEXT', 'to the run that is going, as any line typed while it works'],
  ['/queue TEXT', 'a run of its own, after those before it'],
  ['/queue', 'what waits; edit N TEXT, move N M, remove N; resume goes on'],
  ['/stop', 'stop after this turn (Ctrl-C: now)'],
  ['/fork [N]', 'go on in a copy, of all or up to run N'],
  ['/revert [N]', 'take the last run back, or all behind run N'],
  ['/compact', 'sum the conversation up, to make room'],
  ['/goal [TEXT]', 'run on until it is reached; /goal off ends it'],
  ['/rules', 'what "always" has decided; remove N takes it back'],
  ['/threads [ID]', 'the conversations there are, or go to one'],
  ['/usage', 'tokens of the conversation so far'],
  ['/close', 'end this conversation for good, and leave'],
  ['/quit', 'leave (as Ctrl-D does)'],
  ['/help', 'this list'],
];
const NAMES = [...new Set(COMMAND_HELP.map(([usage]) => /^\/\w+/.exec(usage)![0]))]; // each begins so

/** Undefined for a message; `complaint` for what is neither a message nor understood. */
export function commandIn(line: string): ChatCommand | { complaint: string } | undefined {
  const [, slash, rest = ''] = /^(\/[a-z]+)(?:\s+(.*))?$/is.exec(line) ?? [];
  if (slash === undefined) return undefined;
  const name = slash.toLowerCase();
  if (!NAMES.includes(name)) return unknown(name, rest);
  return read(name.slice(1) as ChatCommand['name'], rest.trim());
}

/** A path, say, is no command; a word that is close to one is a slip. */
function unknown(name: string, rest: string): { complaint: string } | undefined {
  const meant = nearest(name, NAMES);
  if (meant === undefined && rest !== '') return undefined;
  return { complaint: `There is no command ${name}.${meant ? ` Did you mean ${meant}?` : ' See /help.'}` };
}

function read(name: ChatCommand['name'], rest: string): ChatCommand | { complaint: string } {
  switch (name) {
    case 'steer':
      return rest === '' ? { complaint: 'Say what: /steer TEXT.' } : { name, text: rest };
    case 'queue':
      return queueCommand(rest);
    case 'fork':
    case 'revert':
      if (rest === '') return { name };
      return /^\d+$/.test(rest) ? { name, run: Number(rest) } : { complaint: `/${name} takes the number of a run, not "${rest}"; 0 is the beginning.` };
    case 'threads':
      return rest === '' ? { name } : { name, id: rest };
    case 'goal':
      return rest === '' ? { name } : { name, text: rest };
    case 'rules':
      return rulesCommand(rest);
    default:
      return rest === '' ? { name } : { complaint: `/${name} takes nothing after it. To say this to the agent, leave the command out.` };
  }
}

/** Only what fits as a whole is a command of its own: "/queue remove the old logs" is something to do. */
function queueCommand(rest: string): ChatCommand {
  const name = 'queue';
  if (rest === '' || rest === 'list') return { name, act: 'list' };
  if (rest === 'resume') return { name, act: 'resume' };
  const edit = /^edit\s+(\d+)\s+(.+)$/is.exec(rest);
  if (edit) return { name, act: 'edit', place: Number(edit[1]), text: edit[2]! };
  const remove = /^remove\s+(\d+)$/i.exec(rest);
  if (remove) return { name, act: 'remove', place: Number(remove[1]) };
  const move = /^move\s+(\d+)\s+(\d+)$/i.exec(rest);
  return move ? { name, act: 'move', place: Number(move[1]), to: Number(move[2]) } : { name, act: 'add', text: rest };
}

function rulesCommand(rest: string): ChatCommand | { complaint: string } {
  if (rest === '') return { name: 'rules' };
  const remove = /^remove\s+(\d+)$/i.exec(rest);
  return remove ? { name: 'rules', remove: Number(remove[1]) } : { complaint: `/rules lists them, and /rules remove N takes one back; "${rest}" is neither.` };
}
