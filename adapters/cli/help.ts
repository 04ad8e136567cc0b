/** What `--help` answers: of the command as a whole, and of each of its own. */
import { COMMAND_HELP } from './terminal/commands.ts';

export const commandNames = ['chat', 'serve', 'runs', 'resume', 'migrate', 'prune'] as const;
export type CommandName = (typeof commandNames)[number];

const WHERE = `  --journal WHERE        postgres://… for PostgreSQL, a .db, .sqlite or .sqlite3 file for SQLite, else a folder;
                         LOOPCHART_JOURNAL names it too`;

const PROVIDER = `Provider
  OPENAI_API_KEY         OpenAI, or with OPENAI_BASE_URL any server that speaks its protocol
  OPENAI_MODEL           the model of agents that name none
  Without key and URL a built-in provider answers on this machine; nothing leaves it.`;

const CHAT = `loopchart chat: talk to an agent in the terminal

Usage
  loopchart chat [AGENT_FILE] [options]

  AGENT_FILE   a .ts, .mts, .js or .mjs file that exports an Agent (as default or as "agent"),
               or a function that returns one. Without it: the built-in support desk.

Options
  --model NAME           the model to use, whatever the agents say
  --api responses|chat   the API to speak; chat when OPENAI_BASE_URL is set, else responses
  --approve all|none     run all calls that need approval, or none, instead of asking; all answers no question
${WHERE}
                         All that is said and done is recorded there, and goes on after a kill.
  --thread ID            the conversation; one that is there goes on, with all that waits in it
  --json                 print every event as one line of JSON
  --debug                show stacks of errors

${PROVIDER}

In the terminal
  Enter sends. A line typed while the agent works steers it: it is shown as waiting until the model reads it, at the
  next safe point. A call that waits for approval, or asks a question, has the input row until it is answered,
  once the line that is being typed is sent; lines that begin with a slash are commands there too.
${COMMAND_HELP.map(([usage, meaning]) => `    ${usage.padEnd(14)} ${meaning}`).join('\n')}
  Ctrl-C interrupts what is going, and again leaves; with nothing going, twice leaves. Ctrl-D leaves.
Without a terminal every line of the input is a run of its own, one after the other.

Exit code
  0 every message was answered   1 something failed   2 wrong usage
  3 a call needed a person and nobody was there        130 interrupted
`;

const SERVE = `loopchart serve: threads with an agent, for other programs, over JSON-RPC

Usage
  loopchart serve [AGENT_FILE] [options]

  AGENT_FILE   as of chat; clients may name every agent that it leads to

Messages have the shapes of Codex's app-server: initialize, thread/start, turn/start, turn/steer, turn/interrupt, …
Standard output carries nothing else; all that is said to people is on standard error.

Options
  --listen stdio|ws://127.0.0.1:PORT
                         one message a line (the default), or one a frame over WebSockets, for this machine only;
                         port 0 is a free one
  --token TOKEN          what a client of WebSockets has to show: Authorization: Bearer TOKEN, or ?token=TOKEN;
                         LOOPCHART_TOKEN names it too; without either one is made and printed
  --origin ORIGIN[,…]    pages that may connect; none otherwise
  --model NAME           the model to use, whatever the agents say
  --api responses|chat   as of chat
${WHERE}
                         Threads are recorded there, and gone on with after a restart or a kill. Default: memory.

${PROVIDER}

It ends with its input, on Ctrl-C or SIGTERM; what goes on in threads goes on when they are resumed.

Exit code
  0 the input has ended   1 it could not listen, or something failed   2 wrong usage   130 interrupted
`;

const RUNS = `loopchart runs: what a journal holds: runs, and threads with all of theirs

Usage
  loopchart runs [--thread ID] [--state STATE] [options]     runs and threads, newest last
  loopchart runs ID [--follow] [options]                     the entries of one

Options
${WHERE}
  --thread ID            only one conversation
  --state STATE          only those: running (or killed), awaitingApproval; settled or interrupted (runs); idle, paused or
                         closed (threads)
  --follow               go on showing entries as they come, until Ctrl-C
  --json                 runs, or whole entries, as lines of JSON

The beginning of an id is enough where no other begins so. Nothing is changed, and no run is held up.
`;

const RESUME = `loopchart resume: go on with a recorded run or thread in this process

Usage
  loopchart resume ID [AGENT_FILE] [options]

  ID           of a run or a thread, or enough of its beginning
  AGENT_FILE   the file with its agents; without it: the built-in support desk

What is recorded is not run again. A call that had begun and may have had its effect asks a person: run it again,
give its result, or say that it failed. A run that is over says how it ended. A thread goes on as a chat; without a
terminal what is under way and queued goes on to its end, or to where it waits.

Options
${WHERE}
  --again                go on with a run that failed or was interrupted: as a new run, from where it ended;
                         with a thread whose last run did not complete: that run, and then its queue
  --approve all|none     approve all calls that wait, or reject them; never one that may have had its effect, nor a question
  --model NAME, --api responses|chat, --json, --debug      as of chat

${PROVIDER}

In the terminal
  Ctrl-C interrupts the run, again leaves. Ctrl-D at a question leaves it waiting.

Exit code
  0 there is an answer   1 it failed, or another process is at work on it   2 wrong usage
  3 it waits for a person   130 interrupted
`;

const MIGRATE = `loopchart migrate: do the runs and threads of a journal go the same way with this version?

Usage
  loopchart migrate --check WHERE [RUN_ID …] [options]

  WHERE        as of --journal, or the file of one run

Every run, or those that are named, is replayed against the charts of this version, without agents and without
running anything. Nothing is changed, and no run is held up.

Options
${WHERE}
                         With this option all words are runs.
  --json                 a line of JSON for each run, and one for the sum

Exit code
  0 all go the same way   1 some differ, or cannot be replayed   2 wrong usage
`;

const PRUNE = `loopchart prune: forget runs that ended long ago

Usage
  loopchart prune --before WHEN [options]

  WHEN         an age (90min, 12h, 30d, 8w), or a date (2026-01-31, 2026-01-31T12:00)

Runs that have ended, well or not, and threads that were closed, are removed if they were last written to before then.
Those that wait for a person, are at work, or were killed stay; so do threads in which more can be said.

Options
${WHERE}
  --dry-run              only say which
`;

export const HELP_OF: Readonly<Record<CommandName, string>> = { chat: CHAT, serve: SERVE, runs: RUNS, resume: RESUME, migrate: MIGRATE, prune: PRUNE };

export const HELP = `loopchart: talk to agents in the terminal, and go on with runs that were recorded

Usage
  loopchart chat [AGENT_FILE]               talk to an agent, also while it works; with --journal WHERE all is recorded
  loopchart serve [AGENT_FILE]              threads for other programs, over JSON-RPC
  loopchart runs [ID]                       the runs and threads of a journal, or the entries of one
  loopchart resume ID [AGENT_FILE]          go on with a run or a thread, after a kill too
  loopchart migrate --check WHERE           do recorded runs go the same way with this version?
  loopchart prune --before 30d              forget runs that ended long ago

  loopchart COMMAND --help                  more about each
  --help, --version

${PROVIDER}

Journal
  LOOPCHART_JOURNAL      where runs are recorded and found, unless --journal says otherwise
`;
