// Whether everybody can use what opens over a conversation: menus, questions, what is sent
// along, the viewer and the recording, in both languages, in the light and in the dark.

import { sound } from '../axe.mjs';
import { picture } from '../picture.mjs';
import { rest } from '../screens.mjs';
import { desktop, phone } from '../stage.mjs';

const [question, answer] = ['who has the keys?', 'المفاتيح معي'];

export default async function menus(stage) {
	const alice = await stage.person('alice', desktop);
	const bob = await stage.person('bob', phone);
	const both = [alice, bob];
	for (const p of both) await p.signsIn();
	await alice.meets(bob);
	await alice.writes(question);
	await bob.opens(alice);
	await bob.accepts();
	await bob.writes(answer);
	await alice.reads(answer);
	await Promise.all(both.map((p) => asks(p, question)));
	await sends(alice);
	await Promise.all(both.map(views));
	await Promise.all(both.map(records));
}

/** asks opens the menus of a chat and its messages, and the questions that they lead to. */
async function asks(p, text) {
	await p.button('chat_menu').click();
	await p.page.getByRole('menuitem').first().waitFor();
	await look(p, 'the menu of a chat');
	await p.page.keyboard.press('Escape');
	const it = p.message(text).last();
	await it.focus();
	await it.press('Enter');
	await p.page.getByRole('menuitem', { name: p.say('reply'), exact: true }).waitFor();
	await look(p, 'the menu of a message');
	await p.page.keyboard.press('Escape');
	await it.focus();
	await it.getByRole('button', { name: p.say('react'), exact: true }).press('Enter');
	await p.page.getByRole('group', { name: p.say('react') }).getByRole('button').first().waitFor();
	await look(p, 'signs');
	await p.page.keyboard.press('Escape');
	for (const what of ['delete', 'forward']) {
		await p.acts(text, what);
		await p.page.getByRole('dialog').getByRole('heading').first().waitFor();
		await look(p, what);
		await p.page.keyboard.press('Escape');
		await p.page.getByRole('dialog').waitFor({ state: 'detached' });
	}
	await p.acts(text, 'reply');
	await look(p, 'an answer');
	await p.page.keyboard.press('Escape');
}

async function sends(p) {
	await p.button('files_attach').click();
	await p.page.getByRole('menuitem').first().waitFor();
	await look(p, 'what may be sent along');
	const [chooser] = await Promise.all([p.page.waitForEvent('filechooser'), p.page.getByRole('menuitem', { name: p.say('files_pictures') }).click()]);
	await chooser.setFiles([{ name: 'hill.png', mimeType: 'image/png', buffer: picture(640, 480) }]);
	const sheet = p.page.getByRole('dialog').filter({ has: p.page.getByRole('textbox', { name: p.say('files_caption') }) });
	await sheet.locator('img').first().waitFor();
	await look(p, 'what is sent along');
	await sheet.getByRole('button', { name: p.say('send'), exact: true }).click();
	await sheet.waitFor({ state: 'hidden' });
}

async function views(p) {
	const thumb = p.page.getByRole('article').getByRole('button', { name: p.say('media_open'), exact: true }).last();
	await thumb.locator('img').waitFor();
	await look(p, 'a photo');
	await thumb.click();
	await p.page.getByRole('dialog').locator('img').waitFor();
	await look(p, 'the viewer');
	await p.page.keyboard.press('Escape');
	await p.page.getByRole('dialog').waitFor({ state: 'detached' });
}

async function records(p) {
	await p.button('voice_record').click();
	await p.page.getByRole('group', { name: p.say('voice_recording') }).waitFor();
	await look(p, 'a recording');
	await p.button('voice_drop').click();
	await p.field().waitFor();
}

async function look(p, what) {
	await rest(p);
	await sound(p, what);
}
