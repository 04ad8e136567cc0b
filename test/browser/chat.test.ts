/** The example page is used as a person would: it types, approves, queues, steers and stops; what is shown is what happened. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle, launch, visiting } from './support/site.ts';

const sourceOf = (name: string) => fileURLToPath(new URL(`../examples/chat/${name}`, import.meta.url));

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
}, 60_000);
afterAll(() => browser.close());

async function chatting(visit: (page: Page, chat: Person) => Promise<void>): Promise<void> {
  const { folder } = await bundle('main', sourceOf('main.tsx'));
  const site = { folder, title: 'Chat', head: `<style>${await readFile(sourceOf('chat.css'), 'utf8')}</style>`, body: '<div id="chat"></div><script type="module" src="/main.js"></script>' };
  const { complaints } = await visiting(browser, site, async (page) => {
    page.setDefaultTimeout(20_000);
    await visit(page, new Person(page));
  });
  expect(complaints).toEqual([]);
}

/** What a person does, and sees. */
class Person {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  async says(text: string, button = 'Send'): Promise<void> {
    await this.#page.getByLabel('Message').fill(text);
    await this.presses(button);
  }

  presses(button: string): Promise<void> {
    return this.#page.getByRole('button', { name: button, exact: true }).click();
  }

  /** Waits until a line of this kind reads so. */
  sees(kind: string, text: string): Promise<void> {
    return this.#page.locator(`.transcript .${kind}`, { hasText: text }).first().waitFor();
  }

  isIn(state: string): Promise<void> {
    return this.#page.locator('.state', { hasText: new RegExp(`^${state}$`) }).waitFor();
  }

  /** Every line: its kind, its status, how deep it stands, and its text. */
  transcript(): Promise<string[]> {
    return this.#page.locator('.transcript li').evaluateAll((lines) => lines.map((line) => `${(line as HTMLElement).style.marginInlineStart === '0rem' ? '' : '  '}${line.className.trim()}: ${(line as HTMLElement).innerText.replaceAll(/\s+/g, ' ').trim()}`));
  }

  queue(): Promise<string[]> {
    return this.#page.locator('.queue li').allInnerTexts();
  }
}

test('a chat in a browser: streaming text, an approval, the queue, questions, a steer that a nested agent is busy for, and a stop', { timeout: 120_000 }, async () => {
  await chatting(async (page, chat) => {
    await chat.isIn('idle');
    await chat.says('Refund order 7, please.');
    await chat.isIn('awaitingApproval');
    expect(await page.getByRole('alertdialog').innerText()).toContain('refund {"order":7}');
    await chat.says('And thank me.', 'Queue');
    await page.locator('.queue li').waitFor();
    expect((await chat.queue()).map((text) => text.replaceAll(/\s+/g, ' ').trim())).toEqual(['And thank me. ×']);
    await chat.presses('Approve');
    await chat.sees('assistant.streaming', 'Order');
    await chat.sees('assistant.completed', 'You are very welcome.');
    await chat.isIn('idle');
    expect([await chat.queue(), await page.getByRole('alertdialog').count()]).toEqual([[], 0]);
    const first = ['user delivered: Refund order 7, please.', 'toolCall completed: refund {"order":7} refunded order 7', 'assistant completed: Order 7 is refunded. The money is on its way.', 'user delivered: And thank me.', 'assistant completed: You are very welcome.'];
    expect(await chat.transcript()).toEqual(first);

    await chat.says('Call me.');
    await chat.isIn('awaitingApproval');
    await page.getByLabel('Tuesday').check();
    await page.getByLabel('Which number?').fill('none');
    await chat.presses('Answer');
    expect(await page.getByRole('alert').innerText()).toContain('number');
    await page.getByLabel('Tuesday').check();
    await page.getByLabel('Which number?').fill('5550100');
    await chat.presses('Answer');
    await chat.sees('assistant.completed', 'We shall call.');
    await chat.isIn('idle');
    const asked = (await chat.transcript()).slice(first.length);
    expect(asked).toEqual(['user delivered: Call me.', expect.stringMatching(/^toolCall completed: arrange_call .*Tuesday.*5550100/), 'assistant completed: We shall call.']);
    first.push(...asked);

    await chat.says('What is in the archive of 1999?');
    await chat.sees('toolCall.running', 'search');
    await chat.says('Only letters.', 'Steer');
    await chat.sees('assistant.completed', 'Three letters, and that is all.');
    await chat.isIn('idle');
    const second = [
      'user delivered: What is in the archive of 1999?', 'toolCall completed: ask_archivist {"input":"letters of 1999"} There are three letters.',
      '  toolCall completed: search {"year":1999} 3 letters', '  assistant completed: There are three letters.',
      'user delivered: Only letters.', 'assistant completed: Three letters, and that is all.',
    ];
    expect((await chat.transcript()).slice(first.length)).toEqual(second);

    await chat.says('Tell me a story.');
    await chat.sees('assistant.streaming', 'Once upon a time');
    await chat.presses('Stop');
    await chat.isIn('paused');
    await chat.sees('notice', 'The run was interrupted.');
    expect((await chat.transcript()).slice(first.length + second.length)).toEqual(['user delivered: Tell me a story.', expect.stringMatching(/^assistant incomplete: Once upon a time/), 'notice: The run was interrupted.']);
    expect(await page.locator('.actors li').allInnerTexts()).toEqual(['run']);
  });
});
