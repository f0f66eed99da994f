// Photos and other files: several at once with a caption, which are one bubble that is
// forwarded and deleted as one, what stands there before a photo
// has come, looked at over the whole screen, a large file with its way that is cut in the
// middle, kept on disk as it was sent; dropped, pasted, too large; all of a chat together.

import fs from 'node:fs/promises';
import { picture } from '../picture.mjs';
import { desktop, met, phone, same } from '../stage.mjs';

const skies = [
	['#8fb8d8', '#f2b94b', '#3d6b4f'],
	['#2b3a67', '#e9eef5', '#20283e'],
	['#f0a58f', '#fbe6a2', '#6d4c41'],
];

export default async function files(stage) {
	const alice = await stage.person('alice', desktop);
	const bob = await stage.person('bob', { ...phone, at: stage.how.line });
	await met(alice, bob, 'hello bob');

	await several(stage, alice, bob);
	await looked(stage, alice);
	await together(stage, alice, bob);
	await large(stage, alice, bob);
	await document(stage, alice, bob);
	await otherWays(stage, alice, bob);
	await gallery(stage, alice, bob);
}

const skiesOfOneHill = 'Five skies of one hill';
const album = (person) => person.page.getByRole('article').filter({ hasText: skiesOfOneHill });
const photos = (person) => person.page.getByRole('region', { name: person.say('messages') }).getByRole('img', { name: person.say('media_photo') });
const png = (name, buffer) => ({ name, mimeType: 'image/png', buffer });

async function attaches(person, key, ...chosen) {
	await person.button('files_attach').click();
	const [chooser] = await Promise.all([person.page.waitForEvent('filechooser'), person.page.getByRole('menuitem', { name: person.say(key) }).click()]);
	await chooser.setFiles(chosen);
	await sheet(person).waitFor();
}

const sheet = (person) => person.page.getByRole('dialog').filter({ has: person.page.getByRole('textbox', { name: person.say('files_caption') }) });

async function sends(person) {
	await sheet(person).getByRole('button', { name: person.say('send'), exact: true }).click();
	await sheet(person).waitFor({ state: 'hidden' });
}

// drawnAll waits until so many photos are there, and each has its pixels.
async function drawnAll(person, count) {
	await photos(person).nth(count - 1).waitFor();
	for (const img of await photos(person).elementHandles()) await person.page.waitForFunction((el) => el.complete && el.naturalWidth > 100, img);
	same(await photos(person).count(), count, `the photos that ${person.name} sees`);
}

// Several photos in another order, one left out, with something said about them.
async function several(stage, alice, bob) {
	const names = ['day.png', 'night.png', 'evening.png', 'noon.png', 'morning.png', 'never.png'];
	await attaches(alice, 'files_pictures', ...names.map((name, i) => png(name, picture(900, i === 1 ? 1200 : 600, skies[i % 3]))));
	await sheet(alice).getByRole('button', { name: alice.say('files_later', { name: 'day.png' }) }).click();
	await sheet(alice).getByRole('button', { name: alice.say('files_remove', { name: 'never.png' }) }).click();
	const rows = await sheet(alice).getByRole('listitem').allInnerTexts();
	same(rows.map((row) => row.trim().split('\n')[0].trim()), ['night.png', 'day.png', 'evening.png', 'noon.png', 'morning.png'], 'what is about to be sent');
	await sheet(alice).getByRole('textbox', { name: alice.say('files_caption') }).fill(skiesOfOneHill);
	await stage.snap('files-sheet');
	await sends(alice);
	for (const p of [alice, bob]) {
		await p.reads(skiesOfOneHill);
		await album(p).getByText(/^\+[1١]$/).waitFor();
		await drawnAll(p, 4); // and one more behind the last
		same(await p.page.getByRole('article').filter({ has: p.page.getByRole('img', { name: p.say('media_photo') }) }).count(), 1, `the bubbles of it that ${p.name} sees`);
	}
	await stage.snap('files-several');
}

// Over the whole screen: larger, the next, the one before, and away.
async function looked(stage, alice) {
	await photos(alice).first().click();
	const viewer = alice.page.getByRole('dialog', { name: alice.say('media_photo') });
	await viewer.waitFor();
	const shown = () => viewer.getByRole('img').last();
	await shown().waitFor();
	const first = await shown().getAttribute('src');
	const width = (await shown().boundingBox()).width;
	await viewer.getByRole('button', { name: alice.say('media_larger') }).click();
	await alice.page.waitForFunction(([el, w]) => el.getBoundingClientRect().width > 2 * w, [await shown().elementHandle(), width]);
	await viewer.getByRole('button', { name: alice.say('media_whole') }).click();
	await viewer.getByRole('button', { name: alice.say('media_larger') }).waitFor();
	await viewer.getByRole('button', { name: alice.say('media_later') }).click();
	await alice.page.waitForFunction(([el, src]) => [...el.querySelectorAll('img')].some((i) => i.src && i.src !== src), [await viewer.elementHandle(), first]);
	await stage.snap('files-viewer');
	await alice.page.keyboard.press('ArrowLeft');
	await alice.page.waitForFunction(([el, src]) => [...el.querySelectorAll('img')].some((i) => i.src === src), [await viewer.elementHandle(), first]);
	await alice.page.keyboard.press('Escape');
	await viewer.waitFor({ state: 'hidden' });
}

// An album with its words is one thing: forwarded, starred, deleted. One photo of it is seen by itself.
async function together(stage, alice, bob) {
	await photos(alice).nth(3).click();
	const viewer = alice.page.getByRole('dialog', { name: alice.say('media_photo') });
	await viewer.getByRole('button', { name: alice.say('media_later') }).click();
	await viewer.getByText(skiesOfOneHill).waitFor(); // the fifth has the words
	await alice.page.keyboard.press('Escape');
	await viewer.waitFor({ state: 'hidden' });

	await alice.acts(skiesOfOneHill, 'forward');
	await alice.page.getByRole('dialog').getByRole('checkbox').first().check();
	await alice.page.getByRole('dialog').getByRole('button', { name: alice.say('send'), exact: true }).click();
	for (const p of [alice, bob]) {
		await album(p).nth(1).getByText(/^\+[1١]$/).waitFor();
		await drawnAll(p, 8);
		same(await album(p).count(), 2, `the albums that ${p.name} sees`);
	}
	await stage.snap('files-forwarded');
	await alice.acts(skiesOfOneHill, 'delete');
	await alice.page.getByRole('dialog').getByText(alice.say('delete_album')).waitFor();
	await stage.snap('files-delete');
	await alice.page.getByRole('dialog').getByRole('button', { name: alice.say('retract') }).click();
	for (const p of [alice, bob]) {
		await p.message(p.say('retracted_many')).waitFor();
		await album(p).nth(1).waitFor({ state: 'detached' });
		await drawnAll(p, 4);
	}
	await stage.snap('files-deleted');
}

// A photo that is too large to come unasked: its place and a blur of it stand there before.
async function large(stage, alice, bob) {
	const whole = picture(1800, 1200, skies[2], 90);
	if (whole.length < 5_000_000 || whole.length > 9_000_000) throw new Error(`a photo of ${whole.length} bytes`);
	await attaches(alice, 'files_pictures', png('whole.png', whole));
	await sheet(alice).getByRole('checkbox', { name: alice.say('files_original') }).check();
	await sends(alice);
	const load = bob.page.getByRole('button', { name: bob.say('media_load_photo') });
	await load.waitFor();
	const place = async () => {
		const box = await bob.page.getByRole('article').last().boundingBox();
		return [Math.round(box.width), Math.round(box.height)];
	};
	const before = await place();
	await stage.snap('files-before');

	// the line is cut in the middle: it goes on from there by itself
	await stage.wish('hold');
	await load.click();
	const way = bob.page.getByRole('progressbar').last();
	await bob.page.waitForFunction((el) => Number(el.getAttribute('aria-valuenow')) > 20, await way.elementHandle());
	await stage.snap('files-way');
	const far = Number(await way.getAttribute('aria-valuenow'));
	if (far > 60) throw new Error(`${far} % passed a line that is held`);
	await stage.offline(bob, true);
	await stage.offline(bob, false);
	await drawnAll(bob, 5);
	same(await place(), before, 'the room that a photo takes before and after it is here');
}

// A document is kept as it was sent, byte for byte.
async function document(stage, alice, bob) {
	const plan = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 37 + (i >> 8)) & 255));
	await attaches(alice, 'files_document', { name: 'خطة المكتبة.pdf', mimeType: 'application/pdf', buffer: plan });
	await sends(alice);
	await bob.button('files_fetch', { name: 'خطة المكتبة.pdf' }).click();
	const [kept] = await Promise.all([bob.page.waitForEvent('download'), bob.button('files_save', { name: 'خطة المكتبة.pdf' }).click()]);
	same(kept.suggestedFilename(), 'خطة المكتبة.pdf', 'what it is called');
	if (!plan.equals(await fs.readFile(await kept.path()))) throw new Error('what was kept is not what was sent');
	await stage.snap('files-document');
}

// Dropped into the chat, pasted, and one that is larger than the server takes.
async function otherWays(stage, alice, bob) {
	const given = (name, type, text) => alice.page.evaluateHandle(([name, type, text]) => {
		const data = new DataTransfer();
		data.items.add(new File([text], name, { type }));
		return data;
	}, [name, type, text]);
	const dataTransfer = await given('dropped.txt', 'text/plain', 'dropped words');
	for (const event of ['dragenter', 'dragover']) await alice.field().dispatchEvent(event, { dataTransfer });
	await alice.page.getByText(alice.say('files_drop')).waitFor();
	await stage.snap('files-drop');
	await alice.field().dispatchEvent('drop', { dataTransfer });
	await sheet(alice).getByText('dropped.txt').waitFor();
	await alice.page.keyboard.press('Escape');
	await alice.page.getByText('dropped.txt').waitFor({ state: 'detached' });

	await alice.field().evaluate((field, clipboardData) => field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true })), await given('pasted.txt', 'text/plain', 'pasted words'));
	await sheet(alice).getByText('pasted.txt').waitFor();
	await sends(alice);
	await bob.reads('pasted.txt');

	await attaches(alice, 'files_document', { name: 'film.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(10_000_000, 7) });
	await sends(alice);
	const tooLarge = alice.page.getByRole('article').filter({ hasText: 'film.bin' });
	await tooLarge.getByText(alice.say('failure_too_large')).waitFor();
	await stage.snap('files-too-large');
	same(await bob.message('film.bin').count(), 0, 'what bob has of it');
}

// All of it together, beside the chat.
async function gallery(stage, alice, bob) {
	await alice.button('chat_menu').click();
	await alice.page.getByRole('menuitem', { name: alice.say('media_gallery') }).click();
	await bob.place(`chat/${alice.address}/panel/media`);
	for (const p of [alice, bob]) {
		const panel = p.page.getByRole('complementary');
		await panel.getByRole('tab', { name: p.say('media_tab_pictures') }).waitFor();
		await panel.getByRole('listitem').nth(5).waitFor();
		same(await panel.getByRole('listitem').count(), 6, 'the photos of the chat');
	}
	await stage.snap('files-gallery');
	for (const p of [alice, bob]) {
		const panel = p.page.getByRole('complementary');
		await panel.getByRole('tab', { name: p.say('media_tab_files') }).click();
		await panel.getByText('خطة المكتبة.pdf').waitFor();
		await panel.getByText('pasted.txt').waitFor();
	}
	await stage.snap('files-gallery-files');
}
