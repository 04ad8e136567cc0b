/** A chat: what it shows is the view of a thread, what it does is said to the thread. */
import { useSelector } from '@xstate/store-react';
import type { Question } from 'loopchart';
import type { Thread } from 'loopchart/thread';
import type { Entry, PendingRequest, ThreadView, ThreadViewStore } from 'loopchart/view';
import { type ReactNode, useEffect, useRef, useState } from 'react';

interface Shown { thread: Thread; view: ThreadViewStore }

const useView = <Part,>(view: ThreadViewStore, part: (context: ThreadView) => Part): Part => useSelector(view, ({ context }) => part(context));

export function Chat(shown: Shown): ReactNode {
  return (
    <main>
      <Heading {...shown} />
      <Transcript {...shown} />
      <Requests {...shown} />
      <Queue {...shown} />
      <Composer {...shown} />
    </main>
  );
}

function Heading({ view }: Shown): ReactNode {
  const { agent, state, phase, actors, usage } = useView(view, (context) => context);
  return (
    <header>
      <h1>{agent}</h1>
      <span className={`state ${phase ?? state}`}>{phase ?? state}</span>
      <ol className="actors">{actors.map((actor) => <li key={actor.path} className={actor.word} title={actor.path}>{actor.kind}{actor.phase && ` · ${actor.phase}`}</li>)}</ol>
      {usage && <small>{usage.totalTokens} tokens</small>}
    </header>
  );
}

function Transcript({ view }: Shown): ReactNode {
  const transcript = useView(view, (context) => context.transcript);
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => void list.current?.scrollTo(0, list.current.scrollHeight), [transcript]);
  return <ol ref={list} className="transcript">{transcript.map((entry) => <Line key={entry.id} entry={entry} />)}</ol>;
}

function Line({ entry }: { entry: Entry }): ReactNode {
  const status = 'status' in entry ? entry.status : '';
  return <li className={`${entry.kind} ${status}`} style={{ marginInlineStart: `${entry.depth * 2}rem` }}>{textOf(entry)}</li>;
}

function textOf(entry: Entry): ReactNode {
  switch (entry.kind) {
    case 'toolCall':
      return <><b>{entry.tool}</b> <code>{entry.arguments}</code>{entry.result !== undefined && <span className="result">{entry.result}</span>}</>;
    case 'handoff':
      return `→ ${entry.target}`;
    case 'item':
      return entry.item.type;
    default:
      return entry.text;
  }
}

/** What waits for a person. */
function Requests({ thread, view }: Shown): ReactNode {
  const pending = useView(view, (context) => context.pending);
  return pending.map((request) => (
    <section key={request.id} className="request" role="alertdialog" aria-label={`${request.agent} asks`}>
      {request.questions ? <Questions thread={thread} id={request.id} questions={request.questions} /> : <Approval thread={thread} request={request} />}
    </section>
  ));
}

function Approval({ thread, request: { id, agent, tool, arguments: given, kind } }: { thread: Thread; request: PendingRequest }): ReactNode {
  return (
    <>
      <p>{kind === 'uncertain' ? 'Nobody knows whether this has happened; run again?' : `${agent} would like to`} <b>{tool}</b> <code>{given}</code></p>
      <button type="button" className="primary" onClick={() => void thread.approve(id)}>Approve</button>
      <button type="button" onClick={() => void thread.reject(id)}>Reject</button>
    </>
  );
}

/** Answers that do not fit are said to be so, and asked for again. */
function Questions({ thread, id, questions }: { thread: Thread; id: string; questions: readonly Question[] }): ReactNode {
  const [trouble, setTrouble] = useState('');
  const answer = (form: FormData) => {
    const answers = Object.fromEntries(questions.map((question) => [question.id, question.multiple ? form.getAll(question.id) : form.get(question.id)]));
    thread.answer(id, answers).catch((error: Error) => setTrouble(error.message));
  };
  return (
    <form onSubmit={(event) => { event.preventDefault(); answer(new FormData(event.currentTarget)); }} className="questions">
      {questions.map((question) => <fieldset key={question.id}><legend>{question.text}</legend><Field question={question} /></fieldset>)}
      {trouble && <p role="alert">{trouble}</p>}
      <button type="submit" className="primary">Answer</button>
      <button type="button" onClick={() => void thread.reject(id)}>Skip</button>
    </form>
  );
}

function Field({ question: { id, text, options, multiple, secret } }: { question: Question }): ReactNode {
  if (!options) return <input name={id} aria-label={text} type={secret ? 'password' : 'text'} />;
  return options.map(({ label, description }) => <label key={label} title={description}><input type={multiple ? 'checkbox' : 'radio'} name={id} value={label} /> {label}</label>);
}

function Queue({ thread, view }: Shown): ReactNode {
  const queue = useView(view, (context) => context.queue);
  if (queue.length === 0) return null;
  return (
    <ul className="queue" aria-label="Queue">
      {queue.map(({ id, input }) => (
        <li key={id}>
          {input.map((item) => ('content' in item && typeof item.content === 'string' ? item.content : item.type)).join(' ')}
          <button type="button" aria-label="Remove" onClick={() => void thread.queue.remove(id)}>×</button>
        </li>
      ))}
    </ul>
  );
}

/** While a run is going, what is typed joins it; or it waits, to be a run of its own. */
function Composer({ thread, view }: Shown): ReactNode {
  const isActive = useView(view, ({ state }) => state === 'active');
  const [text, setText] = useState('');
  const say = (how: (words: string) => unknown) => {
    if (text.trim() === '') return;
    void how(text);
    setText('');
  };
  const send = () => say(isActive ? (words) => thread.steer(words) : (words) => void thread.run(words));
  return (
    <form onSubmit={(event) => { event.preventDefault(); send(); }}>
      <input aria-label="Message" placeholder={isActive ? 'Steer …' : 'Ask …'} value={text} onChange={({ target }) => setText(target.value)} />
      <button type="submit" className="primary">{isActive ? 'Steer' : 'Send'}</button>
      <button type="button" disabled={!isActive} onClick={() => say((words) => void thread.queue.add(words))}>Queue</button>
      <button type="button" disabled={!isActive} onClick={() => void thread.interrupt()}>Stop</button>
    </form>
  );
}
