// A page as everybody gets it: light and dark, on a desk and on a phone; axe finds nothing, nothing sticks out.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const axe = createRequire(import.meta.url)('axe-core');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const SIZES = { desk: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
/** A folder for screenshots of every page; none are made without it. */
const PICTURES = process.env.IDP_SCREENSHOTS;
if (PICTURES) mkdirSync(PICTURES, { recursive: true });

/** Looks at the page as it is now; `name` names it in messages and pictures. */
export async function review(page, name) {
  await page.evaluate(axe.source);
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const { violations } = await page.evaluate(values => globalThis.axe.run({ runOnly: { type: 'tag', values } }), RULES);
      const found = violations.map(v => `${v.id}: ${v.help}: ${v.nodes.map(n => n.html).join(' ')}`);
      assert.deepEqual(found, [], `${name}, ${size}, ${colorScheme}`);
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wider <= 0, `${name}, ${size}: the page is ${wider} px too wide`);
      if (PICTURES) await page.screenshot({ path: join(PICTURES, `${name}-${size}-${colorScheme}.png`), fullPage: true });
    }
  }
  await page.setViewportSize(SIZES.desk);
}
