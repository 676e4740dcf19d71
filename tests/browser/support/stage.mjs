// What a file of tests plays on: one product, one browser; both end with it, and no page may have caused trouble.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { launch } from './browser.mjs';
import { command, newData, start } from './product.mjs';

/** Opens the stage of a file. `restart` ends the product and starts it again on the same data and ports. */
export async function openStage() {
  const { data, remove } = await newData();
  const stage = { data, trouble: [], product: await start({ data }), browser: await launch() };
  stage.restart = async (options = {}) => {
    // A page that is still loading would miss the product.
    const pages = stage.browser.contexts().flatMap(context => context.pages());
    for (const page of pages) await page.waitForLoadState('networkidle');
    await stage.product.stop();
    stage.product = await start({ data, ...stage.product.addresses, ...options });
  };
  // What a test brings about on purpose.
  stage.forgive = pattern => { stage.trouble = stage.trouble.filter(text => !pattern.test(text)); };
  stage.command = (words, input) => command(data, words.split(' '), input);
  after(async () => {
    await stage.browser.close();
    await stage.product.stop();
    await remove();
    assert.deepEqual(stage.trouble, [], 'a page caused trouble');
  });
  return stage;
}
