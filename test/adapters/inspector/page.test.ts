import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';
import { expect, test } from 'vitest';
import { createActor } from 'xstate';
import { statelyInspector } from '../../../adapters/inspector/index.ts';
import { runMachine, SECRETS } from './charts.ts';

/** Behaves as the hosted viewer does: it says that it is there, and takes what the page around it sends. */
const VIEWER = `<!doctype html><ol></ol><script>
  addEventListener('message', ({ data }) => { const line = document.createElement('li'); line.textContent = data.type + ' ' + (data.name ?? data.event.type); document.querySelector('ol').append(line); });
  parent.postMessage({ type: '@statelyai.connected' }, '*');
</script>`;

test('in a browser, the page passes everything on to the viewer in its frame, earlier actors included', { timeout: 60_000 }, async () => {
  const viewer = createServer((_, response) => response.setHeader('content-type', 'text/html').end(VIEWER));
  await new Promise<void>((resolve) => viewer.listen(0, '127.0.0.1', resolve));
  const inspector = await statelyInspector({ viewer: `http://127.0.0.1:${(viewer.address() as AddressInfo).port}/` });
  const browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: chromium.args, headless: true });
  try {
    const run = createActor(runMachine, { input: { prompt: SECRETS.initial, calls: 0 }, inspect: inspector.inspect }).start();
    run.send({ type: 'one' });
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(inspector.page!);
    const lines = page.frameLocator('iframe').locator('li');
    await lines.nth(2).waitFor();
    expect(await lines.allTextContents()).toEqual(['@xstate.actor run', '@xstate.actor call.one', '@xstate.actor execute']);
    run.send({ type: 'last' });
    await lines.nth(4).waitFor();
    expect((await lines.allTextContents()).slice(3)).toEqual(['@xstate.event last', '@xstate.snapshot last']);
    expect(complaints.filter((complaint) => !complaint.includes('favicon'))).toEqual([]);
    run.stop();
  } finally {
    await browser.close();
    await inspector.close();
    await new Promise((resolve) => viewer.close(resolve));
  }
});
