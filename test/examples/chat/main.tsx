/** The chat on a page, with a model that says what a script says: word by word, as a real one does. */
import { Agent, type Model, questionTool, tool } from 'loopchart';
import { calls, hangs, says, scriptedModel } from 'loopchart/testing';
import { createThread } from 'loopchart/thread';
import { threadView } from 'loopchart/view';
import { createRoot } from 'react-dom/client';
import { z } from 'zod';
import { Chat } from './Chat.tsx';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const refund = tool({ name: 'refund', description: 'Pays money back.', parameters: z.object({ order: z.number() }), needsApproval: true, execute: ({ order }) => `refunded order ${order}` });
const arrange = questionTool({
  name: 'arrange_call',
  description: 'Asks when to call.',
  parameters: z.object({ days: z.array(z.string()) }),
  questions: ({ days }) => [{ id: 'day', text: 'Which day?', options: days }, { id: 'number', text: 'Which number?', schema: z.string().regex(/^\d+$/) }],
});
const search = tool({ name: 'search', description: 'Looks through the archive.', parameters: z.object({ year: z.number() }), execute: async () => (await pause(400), '3 letters') });
const archivist = new Agent({ name: 'Archivist', tools: [search], model: slowly(scriptedModel(calls('search', { year: 1999 }), says('There are three letters.'))) });

const model = scriptedModel(
  calls('refund', { order: 7 }), says('Order 7 is refunded. The money is on its way.'),
  says('You are very welcome.'),
  calls('arrange_call', { days: ['Monday', 'Tuesday'] }), says('We shall call.'),
  calls('ask_archivist', { input: 'letters of 1999' }), says('Three letters, and that is all.'),
  hangs(5, says('Once upon a time there was a loop that nobody could see.')),
);
const desk = new Agent({ name: 'Desk', tools: [refund, arrange, archivist.asTool({ toolName: 'ask_archivist' })], model: slowly(model) });

/** Between two words there is time to see them. */
function slowly(fast: Model): Model {
  return {
    getResponse: (request) => fast.getResponse(request),
    async *getStreamedResponse(request) {
      for await (const event of fast.getStreamedResponse(request)) {
        if (event.type === 'output_text_delta') await pause(30);
        yield event;
      }
    },
  };
}

const thread = createThread(desk);
export const view = threadView(thread, { schedule: requestAnimationFrame });
createRoot(document.getElementById('chat')!).render(<Chat thread={thread} view={view} />);
