/** Scenarios that a death cannot be added to, or that rightly end otherwise with one. A short list, and no entry without its reason. */

/** Found out while a script is played. */
export const OBSTACLES = {
  speaks: 'it speaks to the state of a process that lives',
  asksItself: 'it brings up calls of which nobody knows whether they have happened, and answers for them',
  ownJournal: 'it has a journal of its own, and mostly kills its runs itself',
};

/** Not played: what the script itself does would reach a process that is gone. */
export const NOT_PLAYED: Record<string, string> = {
  'G2: a local session beside it is read, never written, and warned about once': 'it counts what is written to the console, over all plays',
};

const FICKLE = 'what its app answers depends on how often it is asked';
const TEXT = 'text that had streamed before an interrupt is lost with its process';
const STREAM = 'it reads the stream, which tells a new reader nothing of what was told before';
const ASKED = 'of a call that may have had its effect a person is asked when all else is done, which here never is';
const TIME = 'its body ends when its time is over, and the script moves the clock only once';

/** Played at every point and held against the ledger, but not compared with the undisturbed play. */
export const NOT_COMPARED: Record<string, string> = {
  'D2: decisions on the context count, as in the Agents SDK': 'the decision was said to a context that is lost with its app, and the script does not say it again',
  'I3: a raw event is forwarded before the next one comes': TEXT,
  'D9, J2: interrupted while it waits, a harmful call is known to have done nothing': ASKED,
  'J2: text that had streamed stays, marked as incomplete; reasoning and calls that had not are dropped': TEXT,
  'E2: a run whose initial input trips saves nothing, not even the input': 'a guardrail that trips at once keeps a request from being sent that would be cut short anyway; after a death both begin together',
  'J1: stopped in the turn that hands off, the new agent is announced and not started': STREAM,
  'C3: each output is told as its tool finishes, whatever the order of the calls': STREAM,
  'G1: a failed final save rejects, with the output on the failure and the state to save it from': FICKLE,
  'G1, K5: after a failed save in the middle nothing is lost and nothing is saved twice': FICKLE,
  'A1: tools that are off are neither offered nor found': FICKLE,
  'E1, K5: interrupted before the guardrails had looked, the run that goes on starts no tool before they have': FICKLE,
  'A1: instructions are made anew for each turn, with context and agent': FICKLE,
  'C7: progress of a nested agent is heard with its path; that of a body left behind is not': TIME,
  'C2: a body that takes longer than its timeoutMs is told to stop, and the model reads that it timed out': TIME,
  'C2: with timeoutBehavior raise_exception a timeout fails the run': TIME,
  'C2: timeoutErrorFunction words a timeout; an errorFunction that throws fails the run': TIME,
  'B2: wall time is checked before each call, and a call that is under way may end': 'an answer that was not recorded is not asked for again when the time is over',
  'K1: timeoutMs ends a model call that takes too long; it is sent again only if that is known to be safe or approved': 'a provider that never answers never answers the next process either',
};

/** Why a thread may end otherwise where its process died. What must not be is looked for all the same, and every word has its answer. */
export const DOUBTS = {
  calling: 'a call of an answer was complete when its process died: it is carried out, the rest is not asked for, and what it cost nobody was told',
  unheard: 'what a process had not heard when it died is said to the next one, and later',
  lookedUp: 'a body that nobody knows of is looked up, and takes longer than it had',
  end: 'how a run ended is heard of a process that did not see all of it',
  text: 'text that had streamed is lost with its process',
};
