import { createWebSocketReceiver, type StatelyActorEvent, type StatelyInspectionEvent } from '@statelyai/inspect';
import { WebSocket } from 'ws';
import { createActor, createMachine } from 'xstate';
import type { StatelyInspector } from '../../../adapters/inspector/index.ts';

/** Waits for something that has been seen already or will be. */
export interface Watcher {
  messages: readonly StatelyInspectionEvent[];
  until(condition: (message: StatelyInspectionEvent) => boolean): Promise<void>;
}

/** The receiver that the inspector's own package gives to viewers. It does not say when it is connected: a first actor tells. */
export async function packageWatcher({ url, inspect }: Pick<StatelyInspector, 'url' | 'inspect'>): Promise<Watcher> {
  const { watcher, next } = collector();
  createWebSocketReceiver({ server: url }).subscribe(next);
  const probe = createActor(createMachine({ id: 'probe' }), { inspect }).start();
  await watcher.until(({ sessionId }) => sessionId === probe.sessionId);
  return watcher;
}

/** A plain socket: shows the very bytes, and can leave without a word. */
export async function rawWatcher(url: string): Promise<Watcher & { texts: readonly string[]; socket: WebSocket; closed: Promise<number> }> {
  const { watcher, next } = collector();
  const texts: string[] = [];
  const socket = new WebSocket(url);
  socket.on('message', (bytes: Buffer) => {
    texts.push(bytes.toString());
    next(JSON.parse(bytes.toString()) as StatelyInspectionEvent);
  });
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return { ...watcher, texts, socket, closed };
}

export function actorsIn(messages: readonly StatelyInspectionEvent[]): StatelyActorEvent[] {
  return messages.filter((message) => message.type === '@xstate.actor').filter(({ name }) => name !== 'probe');
}

/** Recognises the event that a test sends last: what came before it has arrived when it has. */
export function isEvent(type: string): (message: StatelyInspectionEvent) => boolean {
  return (message) => message.type === '@xstate.event' && message.event.type === type;
}

function collector(): { watcher: Watcher; next: (message: StatelyInspectionEvent) => void } {
  const messages: StatelyInspectionEvent[] = [];
  const waiting = new Set<(message: StatelyInspectionEvent) => void>();
  const next = (message: StatelyInspectionEvent): void => {
    messages.push(message);
    for (const tell of waiting) tell(message);
  };
  const until = (condition: (message: StatelyInspectionEvent) => boolean): Promise<void> =>
    new Promise((resolve) => {
      if (messages.some(condition)) resolve();
      else waiting.add((message) => condition(message) && resolve());
    });
  return { watcher: { messages, until }, next };
}
