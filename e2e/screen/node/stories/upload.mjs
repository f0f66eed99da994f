// A file whose line is cut in the middle: it waits and says so, goes by itself when the line
// is back, is given up when its sender wants that, goes on after the page was loaded again,
// and arrives once.

import fs from 'node:fs/promises';
import { desktop, met, phone, same } from '../stage.mjs';

export default async function upload(stage) {
	const alice = await stage.person('alice', { ...desktop, at: stage.how.line });
	const bob = await stage.person('bob', phone);
	await met(alice, bob, 'hello bob');

	await cut(stage, alice, bob);
	await givenUp(stage, alice, bob);
	await loadedAgain(stage, alice, bob);
}

const content = Buffer.from(Array.from({ length: 9_000_000 }, (_, i) => (i * 37 + (i >> 8)) & 255));

// onItsWay sends a file over a line that holds it in the middle.
async function onItsWay(stage, alice, name) {
	await stage.wish('hold');
	await alice.button('files_attach').click();
	const [chooser] = await Promise.all([alice.page.waitForEvent('filechooser'), alice.page.getByRole('menuitem', { name: alice.say('files_document') }).click()]);
	await chooser.setFiles({ name, mimeType: 'application/pdf', buffer: content });
	const sheet = alice.page.getByRole('dialog').filter({ has: alice.page.getByRole('textbox', { name: alice.say('files_caption') }) });
	await sheet.getByRole('button', { name: alice.say('send'), exact: true }).click();
	await sheet.waitFor({ state: 'hidden' });
	await moves(alice, name);
}

async function moves(alice, name) {
	const way = alice.message(name).getByRole('progressbar');
	await alice.page.waitForFunction((el) => Number(el.getAttribute('aria-valuenow')) > 5, await way.elementHandle());
	const far = Number(await way.getAttribute('aria-valuenow'));
	if (far > 95) throw new Error(`${far} % of ${name} passed a line that is held`);
}

// once checks that a file came to bob one time, as it was sent.
async function once(bob, name) {
	await bob.button('files_fetch', { name }).click();
	const [kept] = await Promise.all([bob.page.waitForEvent('download'), bob.button('files_save', { name }).click()]);
	if (!content.equals(await fs.readFile(await kept.path()))) throw new Error(`${name} is not what was sent`);
	same(await bob.message(name).count(), 1, `how often bob has ${name}`);
}

async function cut(stage, alice, bob) {
	await onItsWay(stage, alice, 'cut.pdf');
	await stage.snap('upload-way');
	await stage.offline(alice, true);
	await alice.message('cut.pdf').getByText(alice.say('files_waiting')).first().waitFor();
	await stage.snap('upload-waiting');
	await stage.offline(alice, false);
	await alice.delivered('cut.pdf', 'sent', 'delivered', 'read');
	await once(bob, 'cut.pdf');
	same(await alice.message('cut.pdf').count(), 1, 'how often alice has it');
}

async function givenUp(stage, alice, bob) {
	await onItsWay(stage, alice, 'never.pdf');
	await alice.message('never.pdf').getByRole('button', { name: alice.say('files_cancel', { name: 'never.pdf' }) }).click();
	await alice.message('never.pdf').waitFor({ state: 'detached' });
	await stage.offline(alice, true);
	await stage.offline(alice, false);
	await alice.writes('that was the wrong file');
	await bob.reads('that was the wrong file');
	same(await bob.message('never.pdf').count(), 0, 'what bob has of a file that was given up');
}

async function loadedAgain(stage, alice, bob) {
	await onItsWay(stage, alice, 'again.pdf');
	await alice.page.reload();
	await alice.in(bob);
	await moves(alice, 'again.pdf'); // from its beginning, and it is said
	await stage.snap('upload-again');
	await alice.writes('a file is coming'); // what is written meanwhile does not wait for it
	await bob.reads('a file is coming');
	await stage.offline(alice, true);
	await stage.offline(alice, false);
	await alice.delivered('again.pdf', 'sent', 'delivered', 'read');
	await once(bob, 'again.pdf');
	same(await alice.message('again.pdf').count(), 1, 'how often alice has it after all');
}
