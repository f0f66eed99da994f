// What the accessibility checker finds on a screen, in the light and in the dark.

import { require } from './stage.mjs';

const { AxeBuilder } = require('@axe-core/playwright');

/** sound fails where something serious is found. The checker comes by the debugging protocol: the page's policy stays as it is. */
export async function sound(person, what) {
	await person.page.evaluate(() => Promise.all(document.getAnimations().map((a) => a.finished.catch(() => {}))));
	for (const theme of ['light', 'dark']) {
		await person.page.evaluate((t) => (document.documentElement.dataset.theme = t), theme);
		await person.page.waitForTimeout(300); // colours fade
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
