// What a group, and what is sent along, look like: talk, members, link and invitation, photos,
// an album, a file, a voice, the viewer and the emoji, in Arabic in the dark on a phone and in English
// in the light on a desktop; and whether everybody can use them.

import { picture } from '../picture.mjs';
import { rest } from '../screens.mjs';
import { desktop, phone } from '../stage.mjs';
import { look } from './looks.mjs';

const skies = [
	['#8fb8d8', '#f2b94b', '#3d6b4f'],
	['#2b3a67', '#e9eef5', '#20283e'],
	['#f0a58f', '#fbe6a2', '#6d4c41'],
	['#b7d3c6', '#f7d774', '#4a5d73'],
];

export default async function gathered(stage) {
	const alice = await stage.person('alice', desktop);
	const bob = await stage.person('bob', phone);
	const dina = await stage.person('dina', desktop);
	await Promise.all([alice, bob, dina].map((p) => p.signsIn()));
	await alone(alice, bob);
	await meet(alice, bob);
	await meet(dina, bob);
	await meet(alice, dina);
	await sent(alice, bob);
	await emoji(alice, bob);
	await held(bob);
	await group(alice, bob, dina);
}

// who knows nobody yet begins calmly
async function alone(...both) {
	for (const p of both) {
		await p.button('chat_new').first().click();
		await p.whom().waitFor();
		await p.page.getByText(p.say('new_alone')).waitFor();
		await look(p, 'new-alone');
		await p.place('page/scan');
		await p.button('cancel').waitFor(); // the camera is asked for at once
		await p.place('');
	}
}

async function meet(one, other) {
	await one.meets(other);
	await one.writes(`hello ${other.name}`);
	await other.place('');
	await other.opens(one);
	await other.accepts();
	await other.reads(`hello ${other.name}`);
}

async function attaches(p, key, ...files) {
	await p.button('files_attach').click();
	const [chooser] = await Promise.all([p.page.waitForEvent('filechooser'), p.page.getByRole('menuitem', { name: p.say(key) }).click()]);
	await chooser.setFiles(files);
	const sheet = p.page.getByRole('dialog').filter({ has: p.page.getByRole('textbox', { name: p.say('files_caption') }) });
	await sheet.waitFor();
	return {
		says: (text) => sheet.getByRole('textbox', { name: p.say('files_caption') }).fill(text),
		goes: async () => {
			await sheet.getByRole('button', { name: p.say('send'), exact: true }).click();
			await sheet.waitFor({ state: 'hidden' });
		},
	};
}

const photos = (p) => p.page.getByRole('region', { name: p.say('messages') }).getByRole('img', { name: p.say('media_photo') });

async function drawn(p, count) {
	await photos(p).nth(count - 1).waitFor();
	for (const img of await photos(p).elementHandles()) await p.page.waitForFunction((el) => el.complete && el.naturalWidth > 100, img);
}

async function sent(alice, bob) {
	const both = [alice, bob];
	for (const p of both) await p.place(`chat/${(p === alice ? bob : alice).address}`);
	const one = await attaches(alice, 'files_pictures', { name: 'hill.png', mimeType: 'image/png', buffer: picture(900, 600) });
	await one.says('The hill, this morning');
	await one.goes();
	await bob.reads('The hill, this morning');
	for (const p of both) await drawn(p, 1);
	await alice.delivered('The hill, this morning', 'read');
	for (const p of both) await look(p, 'photo');

	await photos(alice).first().click();
	await photos(bob).first().click();
	for (const p of both) {
		const viewer = p.page.getByRole('dialog', { name: p.say('media_photo') });
		await viewer.getByRole('img').last().waitFor();
		await look(p, 'viewer');
		await p.page.keyboard.press('Escape');
		await viewer.waitFor({ state: 'detached' });
	}

	const album = await attaches(bob, 'files_pictures', ...skies.map((colours, i) => ({ name: `${i}.png`, mimeType: 'image/png', buffer: picture(900, i % 2 ? 1200 : 600, colours) })));
	await album.says('أربع سماوات لتلّة واحدة');
	await album.goes();
	await alice.reads('أربع سماوات');
	for (const p of both) await drawn(p, 5);
	await bob.delivered('أربع سماوات', 'read');
	for (const p of both) await look(p, 'album');

	const file = await attaches(alice, 'files_document', { name: 'Plan of the library, second draft.pdf', mimeType: 'application/pdf', buffer: Buffer.alloc(234_567, 7) });
	await file.goes();
	for (const p of both) await p.page.getByRole('article').getByText('Plan of the library').first().waitFor();
	await bob.page.getByRole('button', { name: bob.say('files_fetch', { name: 'Plan of the library, second draft.pdf' }) }).or(bob.page.getByRole('button', { name: bob.say('files_save', { name: 'Plan of the library, second draft.pdf' }) })).first().waitFor();
	await bob.button('voice_record').click();
	await bob.page.getByRole('group', { name: bob.say('voice_recording') }).waitFor();
	await bob.page.getByRole('timer').getByText(/[2٢]$/).waitFor();
	await bob.button('voice_send').click();
	for (const p of both) await p.page.getByRole('article').getByRole('group', { name: p.say('voice_message') }).getByRole('button', { name: p.say('voice_play') }).waitFor();
	for (const p of both) await look(p, 'file-and-voice', p.page.locator('.voice .sound'));
}

// the emoji: found in either language, put where one writes, remembered
async function emoji(alice, bob) {
	for (const [p, words] of [[alice, 'mosque'], [bob, 'مسجد']]) {
		await p.field().fill('ab');
		await p.field().evaluate((f) => f.setSelectionRange(1, 1));
		await p.button('emoji_open').click();
		const box = p.page.getByRole('dialog', { name: p.say('emoji_open') });
		await box.getByRole('group', { name: p.say('emoji_smileys') }).getByRole('button').first().waitFor();
		await rest(p);
		await look(p, 'emoji');
		const search = box.getByRole('searchbox', { name: p.say('emoji_search') });
		await search.fill(p === alice ? 'قلب' : 'heart');
		await box.getByRole('button').getByText('❤️', { exact: true }).first().waitFor();
		await search.fill(words);
		await box.getByRole('button').getByText('🕌', { exact: true }).waitFor();
		await search.press('ArrowDown');
		await p.page.keyboard.press('Enter');
		await search.fill('no such thing');
		await box.getByText(p.say('emoji_none')).waitFor();
		await p.page.keyboard.press('Escape');
		if ((await search.count()) && (await search.isVisible())) await p.page.keyboard.press('Escape'); // the first has emptied the field
		await box.waitFor({ state: 'hidden' });
		const text = await p.field().inputValue();
		if (text !== 'a🕌b') throw new Error(`${p.name} has written ${text}`);
		await p.button('emoji_open').click();
		await box.getByRole('group', { name: p.say('emoji_recent') }).getByRole('button').getByText('🕌').waitFor();
		await p.page.keyboard.press('Escape');
		await box.waitFor({ state: 'hidden' });
		await p.field().fill('');
	}
}

// a finger that stays on a message opens its menu; one that taps or moves does not
async function held(bob) {
	const it = bob.message('hello bob').first();
	await bob.place('');
	await bob.opens({ name: 'dina' });
	const menu = bob.page.getByRole('dialog', { name: bob.say('message_menu') });
	let at;
	const aims = async () => {
		for (let before; ; await bob.page.waitForTimeout(100)) {
			const { x, y, width, height } = await it.locator('.bubble').boundingBox();
			at = { x: x + width / 2, y: y + height / 2 };
			if (before === at.y) return; // it moves up when a sign comes under it
			before = at.y;
		}
	};
	await aims();
	const touch = await bob.context.newCDPSession(bob.page);
	const finger = (type, dy = 0) => touch.send('Input.dispatchTouchEvent', { type, touchPoints: type === 'touchEnd' ? [] : [{ ...at, y: at.y + dy }] });
	await finger('touchStart');
	await finger('touchEnd');
	await finger('touchStart');
	await finger('touchMove', 40);
	await bob.page.waitForTimeout(700);
	await finger('touchEnd');
	if (await menu.count()) throw new Error('a tap or a finger that moved has opened the menu');
	await finger('touchStart');
	await menu.getByRole('menuitem', { name: bob.say('reply'), exact: true }).waitFor();
	await finger('touchEnd');
	await bob.page.waitForTimeout(200);
	await look(bob, 'held');
	await menu.getByRole('group', { name: bob.say('react') }).getByText('❤️').tap();
	await menu.waitFor({ state: 'detached' });
	await it.getByRole('button', { name: '❤️' }).waitFor();
	// any other sign, and a line of the menu
	await hold(aims, finger, menu);
	await menu.getByRole('button', { name: bob.say('react_other') }).tap();
	await menu.getByRole('searchbox').fill('قمر');
	await menu.getByRole('button').getByText('🌙', { exact: true }).tap();
	await it.getByRole('button', { name: '🌙' }).waitFor();
	await hold(aims, finger, menu);
	await menu.getByRole('menuitem', { name: bob.say('reply'), exact: true }).tap();
	await bob.page.locator('.about').getByText('hello bob').waitFor();
	await bob.page.locator('.about').getByRole('button', { name: bob.say('cancel') }).click();
	await touch.detach();
}

// hold stays on what was aimed at until its menu is there; it is aimed at anew where it has moved away from under the finger.
async function hold(aims, finger, menu) {
	for (let turn = 1; ; turn++) {
		await aims();
		await finger('touchStart');
		const there = await menu.waitFor({ timeout: 5000 }).then(() => true, (e) => turn >= 10 && Promise.reject(e));
		await finger('touchEnd');
		if (there) return;
	}
}

async function makes(p, name, colours, ...others) {
	await p.place('page/group');
	await p.page.getByLabel(p.say('group_name')).fill(name);
	await p.page.locator('input[type=file][accept="image/*"]').first().setInputFiles({ name: 'hill.png', mimeType: 'image/png', buffer: picture(480, 480, colours) });
	await p.button('picture_change').waitFor();
	for (const other of others) await p.page.getByRole('checkbox', { name: other.name }).check({ force: true });
	await p.page.getByRole('button', { name: new RegExp(`^${p.say('group_create')}`) }).click();
	await p.in({ name });
	return { name, address: decodeURIComponent(/#\/chat\/([^/]+)/.exec(p.page.url())[1]) };
}

async function group(alice, bob, dina) {
	const plan = await makes(alice, 'Library plan', skies[0], bob, dina);
	const circle = await makes(bob, 'حلقة القراءة', skies[2], alice);
	for (const [p, to] of [[bob, plan], [alice, circle], [dina, plan]]) {
		await p.place('');
		await p.row(to).click();
		await p.button('group_asked_yes').waitFor();
		if (p !== dina) await look(p, 'group-invited', p.page.locator('.avatar')); // its colour is another each time
		await p.button('group_asked_yes').click();
		await p.field().waitFor();
	}
	for (const p of [alice, bob, dina]) await p.place(`chat/${encodeURIComponent(plan.address)}`);
	for (const [p, text] of [
		[dina, 'Who brings the shelves on Saturday?'],
		[bob, 'أنا أحضرها بعد الظهر إن شاء الله.'],
		[alice, 'Perfect. The paint is here already, and the carpet comes on Thursday.'],
	]) {
		await p.writes(text);
		for (const q of [alice, bob, dina]) await q.reads(text);
	}
	await dina.acts('أنا أحضرها', 'reply');
	await dina.writes('@bob thank you, the big ones please');
	for (const q of [alice, bob]) await q.reads('the big ones please');
	await bob.message('The paint is here').hover();
	await bob.message('The paint is here').getByRole('button', { name: bob.say('react'), exact: true }).press('Enter');
	await bob.page.getByRole('group', { name: bob.say('react') }).getByText('👍').click();
	for (const p of [alice, bob]) {
		await p.message('The paint is here').getByRole('button', { name: '👍' }).waitFor();
		await p.page.getByRole('button', { name: p.say('trust_locked_short') }).waitFor();
		await look(p, 'group-talk');
	}
	for (const p of [alice, bob]) {
		await p.place(`chat/${encodeURIComponent(plan.address)}/panel/group`);
		await p.page.getByRole('complementary').getByRole('listitem').filter({ hasText: dina.name }).waitFor();
		await look(p, 'group-members', p.page.locator('aside .code'));
	}
	await bob.place(`chat/${encodeURIComponent(circle.address)}/panel/group-link`);
	await bob.button('people_invite_make').click();
	await bob.page.getByRole('complementary').locator('p.code').waitFor();
	await look(bob, 'group-link', ...['p.code', 'aside svg[role=img]'].map((s) => bob.page.locator(s)));
}
