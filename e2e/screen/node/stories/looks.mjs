// What the screens look like, and whether everybody can use them: in both languages, in the
// light and in the dark.

import { sound } from '../axe.mjs';
import { shown } from '../screens.mjs';
import { desktop, phone } from '../stage.mjs';

const talk = [
	['alice', 'Good morning! The library opens on Saturday at nine.'],
	['bob', 'صباح الخير! سآتي بالمفاتيح إن شاء الله.'],
	['alice', 'Perfect, see you there.'],
	['bob', 'إلى اللقاء 😄'],
];

export default async function looks(stage) {
	const alice = await stage.person('alice', desktop);
	const bob = await stage.person('bob', phone);
	const both = { alice, bob };
	for (const p of [alice, bob]) {
		await p.goes();
		await p.page.getByRole('button', { name: p.say('onboarding_way_code') }).waitFor();
		await p.page.getByRole('progressbar').waitFor({ state: 'hidden' });
		await look(p, 'start');
		await p.page.getByRole('button', { name: p.say('onboarding_way_code') }).click();
		await p.page.getByLabel(p.say('signin_address')).waitFor();
		await look(p, 'signin');
		await p.signsIn();
		await sound(p, 'no chats');
	}
	await alice.meets(bob);
	await alice.writes(talk[0][1]);
	await bob.opens(alice);
	await bob.accepts();
	await bob.reads(talk[0][1]);
	for (const [who, text] of talk.slice(1)) {
		await both[who].writes(text);
		for (const p of [alice, bob]) await p.reads(text);
	}
	await alice.delivered(talk[2][1], 'read');
	await bob.delivered(talk[3][1], 'read');
	await look(alice, 'conversation');
	await look(bob, 'conversation');
	await bob.acts(talk[0][1], 'delete');
	await bob.button('delete_for_me').waitFor();
	await look(bob, 'delete');
	await bob.page.keyboard.press('Escape');
	for (const panel of ['search', 'starred', 'lock', 'contact', 'media']) {
		for (const [p, other] of [[alice, bob], [bob, alice]]) {
			await p.place(`chat/${other.address}/panel/${panel}`);
			await shown(p, 'panel');
			if (panel === 'lock' || panel === 'contact') await sound(p, `panel ${panel}`);
			else await look(p, `panel-${panel}`);
		}
	}
	for (const page of ['new', 'group', 'starred', 'devices', 'settings', 'notify', 'profile', 'sees', 'blocked', 'people', 'calls']) {
		for (const p of [alice, bob]) {
			await p.place(`page/${page}`);
			await shown(p, 'page');
			if (page === 'new') await look(p, 'new');
			else if (['devices', 'profile', 'calls'].includes(page)) await sound(p, `page ${page}`);
			else await look(p, `page-${page}`);
		}
	}
	await bob.place('');
	await bob.row(alice).waitFor();
	await look(bob, 'chats');
}

/** look keeps a picture, and has the screen checked. What shows the time, and what else is another each time, is covered. */
export async function look(person, name, ...covered) {
	await sound(person, name);
	await person.page.mouse.move(0, 0);
	await person.page.evaluate(() => document.fonts.ready.then(() => document.activeElement?.blur()));
	await person.page.waitForTimeout(200);
	// what is under a question or a viewer is hardly to be seen
	const within = (await person.page.locator('dialog[open]').count()) ? 'dialog[open] time' : 'time';
	await person.stage.keep(person, name, [person.page.locator(within), ...covered]);
}
