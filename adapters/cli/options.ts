/** The command line, read once and checked whole. */
import { parseArgs } from 'node:util';
import { UsageError } from './exit.ts';
import { nearest } from './nearest.ts';

export interface ChatOptions {
  /** The user's own agent; the built-in support desk without it. */
  agentFile?: string;
  /** Wins over what agents say. */
  model?: string;
  api?: 'responses' | 'chat';
  /** What happens to calls that need a person: `all` run, `none` run. Without it a person is asked. */
  approve?: 'all' | 'none';
  json: boolean;
  debug: boolean;
}
export type Command = { name: 'help' } | { name: 'version' } | ({ name: 'chat' } & ChatOptions);

export const HELP = `loopchart: talk to an agent in the terminal

Usage
  loopchart chat [agent-file] [options]

  agent-file   a .ts, .mts, .js or .mjs file that exports an Agent (as default or as "agent"),
               or a function that returns one. Without it: the built-in support desk.

Options
  --model NAME           the model to use, whatever the agents say
  --api responses|chat   the API to speak; chat when OPENAI_BASE_URL is set, else responses
  --approve all|none     run all calls that need approval, or none, instead of asking
  --json                 print every event as one line of JSON
  --debug                show stacks of errors
  --help, --version

Provider
  OPENAI_API_KEY         OpenAI, or with OPENAI_BASE_URL any server that speaks its protocol
  OPENAI_MODEL           the model of agents that name none
  Without key and URL a built-in provider answers on this machine; nothing leaves it.

In the terminal
  Enter sends; a line typed while the agent works is sent after. Ctrl-C interrupts the run, again leaves.
  Ctrl-D leaves. /help, /usage and /quit do what they say.
Without a terminal every line of the input is one message.

Exit code
  0 every message was answered   1 something failed   2 wrong usage
  3 a call needed approval and nobody was there       130 interrupted
`;

const OPTIONS = {
  model: { type: 'string' },
  api: { type: 'string' },
  approve: { type: 'string' },
  json: { type: 'boolean' },
  debug: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;
const CHOICES = { api: ['responses', 'chat'], approve: ['all', 'none'] } as const;
const COMMANDS = ['chat', 'help', 'version'];

/** @throws UsageError naming what is wrong and, where something is close, what was meant. */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals, tokens } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: false, tokens: true });
  for (const token of tokens) if (token.kind === 'option') checkOption(token);
  if (values.help) return { name: 'help' };
  if (values.version) return { name: 'version' };
  const [command, agentFile, ...rest] = positionals;
  if (command === 'help' || command === 'version') return { name: command };
  if (command === undefined) throw new UsageError('Say what to do, for example: loopchart chat.');
  if (command !== 'chat') throw new UsageError(`There is no command "${command}".${commandHint(command)}`);
  if (rest.length > 0) throw new UsageError(`chat takes one agent file; "${rest[0]}" is one too many. Put messages on the standard input.`);
  return {
    name: 'chat',
    agentFile,
    model: text(values.model),
    api: choice('api', values.api),
    approve: choice('approve', values.approve),
    json: values.json === true,
    debug: values.debug === true,
  };
}

interface OptionToken { name: string; rawName: string; value?: string | undefined }

function checkOption({ name, rawName, value }: OptionToken): void {
  const option = Object.hasOwn(OPTIONS, name) ? OPTIONS[name as keyof typeof OPTIONS] : undefined;
  if (!option) throw new UsageError(`There is no option "${rawName}".${meant(name, Object.keys(OPTIONS), '--')}`);
  if (option.type === 'boolean' && value !== undefined) throw new UsageError(`"${rawName}" takes no value.`);
  if (option.type === 'string' && (value === undefined || value === '' || value.startsWith('--'))) throw new UsageError(`"${rawName}" needs a value.`);
}

function choice<Name extends keyof typeof CHOICES>(name: Name, given: unknown): (typeof CHOICES)[Name][number] | undefined {
  if (given === undefined) return undefined;
  const found = CHOICES[name].find((one) => one === given);
  if (!found) throw new UsageError(`"--${name}" is ${CHOICES[name].join(' or ')}, not "${String(given)}".${meant(String(given), CHOICES[name], '')}`);
  return found;
}

function meant(given: string, known: readonly string[], prefix: string): string {
  const close = nearest(given, known);
  return close === undefined ? '' : ` Did you mean "${prefix}${close}"?`;
}

function commandHint(given: string): string {
  return /\.[cm]?[jt]s$/.test(given) ? ` Did you mean "chat ${given}"?` : meant(given, COMMANDS, '');
}

const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
