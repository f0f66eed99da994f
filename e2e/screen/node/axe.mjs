// What the accessibility checker finds on a screen, in the light and in the dark.

import { require } from './stage.mjs';

const { AxeBuilder } = require('@axe-core/playwright');

/** sound fails where something serious is found. The checker comes by the debugging protocol: the page's policy stays as it is. */
export async function sound(person, what) {
	for (const theme of ['light', 'dark']) {
		await person.page.evaluate((t) => (document.documentElement.dataset.theme = t), theme);
		await person.page.evaluate(rest);
		const axe = new AxeBuilder({ page: person.page }).setLegacyMode();
		if (theme === 'dark') axe.withRules(['color-contrast']); // all else is as in the light
		const { violations } = await axe.analyze();
		for (const v of violations.filter((v) => ['serious', 'critical'].includes(v.impact))) {
			const where = v.nodes.map((n) => `${n.target.join(' ')}: ${n.failureSummary.replace(/\s+/g, ' ')}`).join('\n  ');
			person.stage.complaints.push(`${what}, ${person.locale}, ${theme}: ${v.id} (${v.impact}): ${v.help}\n  ${where}`);
		}
	}
	await person.page.evaluate((t) => (document.documentElement.dataset.theme = t), person.theme);
}

// rest waits until nothing fades any more: a colour on its way is none that anybody reads by.
async function rest() {
	const frame = () => new Promise((done) => requestAnimationFrame(done));
	const fading = () => document.getAnimations().filter((a) => a.playState === 'running' && a.effect?.getComputedTiming().endTime !== Infinity);
	for (let still = 0; still < 3; still++) {
		await frame(); // a change of style begins its transitions with the next one
		const all = fading();
		if (all.length) still = -1;
		await Promise.all(all.map((a) => a.finished.catch(() => {})));
	}
}
