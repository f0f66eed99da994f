// Which pages and panels there are, from the features' own lists: a new one is walked
// through by itself.

import fs from 'node:fs/promises';

const folder = new URL('../../../web/src/features/', import.meta.url);

/** screens names the pages, and the panels of a chat with one person and of a group. */
export async function screens() {
	const all = { pages: new Set(), panels: new Set(), group: new Set() };
	for (const feature of await fs.readdir(folder)) {
		const text = await fs.readFile(new URL(`${feature}/index.ts`, folder), 'utf8');
		for (const name of names(text, 'pages')) all.pages.add(name);
		for (const name of names(text, 'panels')) all[feature === 'groups' ? 'group' : 'panels'].add(name);
	}
	if (all.pages.size < 10 || all.panels.size < 5 || !all.group.size) throw new Error('the features’ lists are not found any more');
	return Object.fromEntries(Object.entries(all).map(([kind, set]) => [kind, [...set].sort()]));
}

function names(text, key) {
	const at = text.indexOf(`\t${key}: {`);
	if (at < 0) return [];
	let [end, depth] = [text.indexOf('{', at), 0];
	const begin = end;
	do depth += { '{': 1, '}': -1 }[text[end++]] ?? 0;
	while (depth);
	return [...text.slice(begin, end).matchAll(/'?([\w-]+)'?: \{ (?:now|later)\b/g)].map((m) => m[1]);
}

/** shown is when a page or panel is there, drawn and at rest. */
export async function shown(person, kind) {
	const frame = person.page.locator(kind === 'page' ? '.side' : 'aside');
	await frame.locator('h2').first().waitFor();
	await person.page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
	await rest(person);
}

/** rest waits for fonts, and for what moves. */
export const rest = (person) => person.page.evaluate(() => Promise.all([document.fonts.ready, ...document.getAnimations().map((a) => a.finished.catch(() => {}))]).then(() => true));
