// A group of four: Alice on a desktop in English, Bob on a phone in Arabic, Dina on another
// desktop, and Carol with Profanity, another maker's client. Everybody reads everybody,
// encrypted, until they are removed; one is away and comes back, another goes.

import fs from 'node:fs/promises';
import path from 'node:path';
import { picture } from '../picture.mjs';
import { desktop, phone, same } from '../stage.mjs';

export default async function group(stage, { folder, marker }) {
	const carol = other(stage, 'carol');
	const alice = await stage.person('alice', desktop);
	const bob = await stage.person('bob', { ...phone, at: stage.how.line });
	const dina = await stage.person('dina', desktop);
	await Promise.all([alice.signsIn(), bob.signsIn(), dina.signsIn()]);
	const said = (text) => `${marker} ${text}`;

	for (const friend of [bob, dina, carol]) {
		await alice.meets(friend);
		await alice.writes(said(`hello ${friend.name}`));
	}
	for (const friend of [bob, dina]) {
		await friend.opens(alice);
		await friend.accepts();
		await friend.reads(said(`hello ${friend.name}`));
	}
	await carol.does(`accepts ${alice.address}`);
	await twoOfTwoMakers(stage, alice, carol, folder, said);

	// a name, a picture and the people in one step
	await alice.button('menu').first().click();
	await alice.page.getByRole('menuitem', { name: alice.say('group_new') }).click();
	await alice.page.getByLabel(alice.say('group_name')).fill('Library plan');
	await alice.page.locator('input[type=file][accept="image/*"]').first().setInputFiles({ name: 'hill.png', mimeType: 'image/png', buffer: picture(480, 320) });
	await alice.page.getByRole('button', { name: alice.say('picture_change') }).waitFor();
	for (const friend of [bob, dina, carol]) await alice.page.getByRole('checkbox', { name: friend.name }).check({ force: true });
	await stage.snap('group-new');
	await alice.page.getByRole('button', { name: /^Create group/ }).click();
	await alice.in({ name: 'Library plan' });
	const room = decodeURIComponent(/#\/chat\/([^/]+)/.exec(alice.page.url())[1]);
	const there = { name: 'Library plan', address: room };

	for (const friend of [bob, dina]) {
		await friend.place('');
		await friend.row(there).click();
		await friend.button('group_asked_yes').click();
		await friend.field().waitFor();
	}
	await carol.does(`enters ${room} ${there.name}`);
	await members(alice, 4, bob, dina, carol);
	await stage.snap('group-members');

	// everybody writes, and everybody reads everybody
	const lines = { alice: said('from alice'), bob: said('من بوب إلى الجميع'), dina: said('from dina'), carol: said('from carol') };
	for (const person of [alice, bob, dina]) await person.writes(lines[person.name]);
	for (const person of [alice, bob, dina]) await carol.does(`knows ${person.address}`);
	await carol.does(`types ${lines.carol}`);
	for (const person of [alice, bob, dina]) for (const line of Object.values(lines)) await person.reads(line);
	for (const [name, line] of Object.entries(lines)) if (name !== 'carol') await carol.does(`sees ${line}`);
	for (const p of [alice, bob, dina]) if (await p.page.getByText(p.say('lock_open')).count()) throw new Error(`${p.name} has something that is not encrypted`);

	await answers(alice, bob, dina, carol, lines, said);
	await stage.snap('group-talk');
	await away(stage, alice, bob, dina, carol, there, said);
	await removal(stage, alice, bob, dina, carol, there, said);
	await leaving(alice, bob, carol, there, said);
	await stage.snap('group-left');
}

// Profanity and a browser by themselves: words, a correction, a file, each way.
async function twoOfTwoMakers(stage, alice, carol, folder, said) {
	await alice.opens(carol);
	await carol.does(`opens ${alice.address}`);
	await carol.does(`sees ${said('hello carol')}`);
	await carol.does(`encrypts ${alice.address}`);
	await carol.does(`types ${said('wrong from carol')}`);
	await alice.reads(said('wrong from carol'));
	await carol.does(`types /correct ${said('right from carol')}`);
	await alice.message(said('right from carol')).getByText(alice.say('edited')).waitFor();

	await alice.writes(said('wrogn from alice'));
	await carol.does(`sees ${said('wrogn from alice')}`);
	await alice.acts(said('wrogn from alice'), 'edit');
	await alice.field().fill(said('better from alice'));
	await alice.button('save').click();
	await carol.does(`sees ${said('better from alice')}`);

	await fs.writeFile(path.join(folder, 'hill.png'), picture(640, 400));
	await carol.does('sends hill.png');
	const shown = alice.page.getByRole('article').getByRole('img', { name: alice.say('media_photo') });
	await shown.waitFor();
	await alice.page.waitForFunction((img) => img.naturalWidth === 640, await shown.elementHandle());

	const plan = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 37 + (i >> 8)) & 255));
	await fs.writeFile(path.join(folder, 'plan.bin'), plan);
	await attaches(alice, 'files_document', { name: 'plan.bin', mimeType: 'application/octet-stream', buffer: plan });
	await alice.page.getByRole('dialog').getByRole('button', { name: alice.say('send') }).click();
	await alice.page.getByRole('button', { name: alice.say('files_save', { name: 'plan.bin' }) }).waitFor();
	await carol.does('saves plan.bin');
	await stage.snap('group-two');
}

/** attaches chooses files by a line of the menu of the paper clip. */
async function attaches(person, key, ...files) {
	await person.button('files_attach').click();
	const [chooser] = await Promise.all([person.page.waitForEvent('filechooser'), person.page.getByRole('menuitem', { name: person.say(key) }).click()]);
	await chooser.setFiles(files);
}

// replies, signs, an edit, a deletion, somebody who is spoken to
async function answers(alice, bob, dina, carol, lines, said) {
	await bob.acts(lines.dina, 'reply');
	await bob.writes(said('جوابًا لدينا'));
	await dina.message(said('جوابًا لدينا')).getByText(lines.dina).waitFor();
	await dina.message(said('جوابًا لدينا')).hover();
	await dina.message(said('جوابًا لدينا')).getByRole('button', { name: dina.say('react'), exact: true }).click();
	await dina.page.getByRole('group').getByText('❤️').click();
	for (const p of [alice, bob]) await p.message(said('جوابًا لدينا')).getByText('❤️').waitFor();

	await alice.field().pressSequentially('@di');
	await alice.page.getByRole('option').first().waitFor();
	await alice.field().press('Enter');
	await alice.field().pressSequentially(said('are you coming?'));
	await alice.field().press('Enter');
	await dina.reads('@dina ');

	await dina.writes(said('at nien'));
	await alice.reads(said('at nien'));
	await dina.field().press('ArrowUp');
	await dina.field().fill(said('at nine'));
	await dina.button('save').click();
	for (const p of [alice, bob]) await p.message(said('at nine')).getByText(p.say('edited')).waitFor();
	await carol.does(`sees ${said('at nine')}`);

	await bob.writes(said('لا تقرؤوا هذا'));
	await alice.reads(said('لا تقرؤوا هذا'));
	await bob.acts(said('لا تقرؤوا هذا'), 'delete');
	await bob.page.getByRole('dialog').getByRole('button', { name: bob.say('retract') }).click();
	for (const p of [alice, dina]) {
		await p.message(p.say('retracted')).waitFor();
		same(await p.message(said('لا تقرؤوا هذا')).count(), 0, `what ${p.name} has of what was taken back`);
	}
}

// Bob's phone loses its network, and Carol closes her program: both read later what was said.
async function away(stage, alice, bob, dina, carol, there, said) {
	await stage.offline(bob, true);
	await carol.does('away');
	await alice.writes(said('while two were away'));
	await dina.reads(said('while two were away'));
	await bob.writes(said('كُتب بلا شبكة'));
	await stage.offline(bob, false);
	await bob.reads(said('while two were away'));
	for (const p of [alice, dina]) await p.reads(said('كُتب بلا شبكة'));
	await carol.does('back');
	await carol.does(`enters ${there.address} ${there.name}`);
	await carol.does(`sees ${said('while two were away')}`);
	for (const p of [alice, bob, dina]) await carol.does(`knows ${p.address}`);
	await carol.does(`types ${said('carol is back')}`);
	for (const p of [alice, bob, dina]) await p.reads(said('carol is back'));
}

// Bob is made an admin and removes Dina, who reads nothing of what is said then.
async function removal(stage, alice, bob, dina, carol, there, said) {
	await chooses(alice, bob, 'group_make_admin');
	await member(alice, bob).getByText(alice.say('group_admin'), { exact: true }).waitFor();
	await bob.page.getByRole('button', { name: there.name }).first().click();
	await chooses(bob, dina, 'group_remove');
	await stage.snap('group-remove');
	await bob.page.getByRole('dialog').getByRole('button', { name: bob.say('group_remove') }).click();
	await dina.page.getByText(dina.say('group_over')).waitFor();
	await wholly(dina, dina.page.getByText(dina.say('notice_removed'), { exact: true }).last());
	await members(alice, 3, bob, carol);
	await bob.page.goBack();
	await bob.field().waitFor();
	await alice.writes(said('without dina'));
	await bob.reads(said('without dina'));
	await carol.does(`sees ${said('without dina')}`);
	// what is said to her afterwards comes, and nothing of the group before it
	await alice.opens(dina);
	await alice.writes(said('just us two'));
	await dina.page.getByRole('link', { name: said('just us two') }).or(dina.row(alice).filter({ hasText: 'just us two' })).first().waitFor();
	await stage.snap('group-removed');
	same(await dina.page.getByText(said('without dina')).count(), 0, 'what dina reads of a group that she is not in');
	await alice.opens(there);
}

// Alice, who made it, leaves: Bob leads, and goes on with Carol.
async function leaving(alice, bob, carol, there, said) {
	await alice.place(`chat/${there.address}/panel/group`);
	await alice.page.getByRole('complementary').getByRole('button', { name: alice.say('group_leave') }).click();
	await alice.page.getByRole('dialog').getByRole('button', { name: alice.say('group_leave') }).click();
	await alice.row(there).waitFor({ state: 'detached' });
	await bob.place(`chat/${there.address}/panel/group`);
	await member(bob, { name: bob.say('you') }).getByText(bob.say('group_owner'), { exact: true }).waitFor();
	await bob.place(`chat/${there.address}`);
	await bob.writes(said('نحن اثنان'));
	await carol.does(`sees ${said('نحن اثنان')}`);
	await carol.does(`types ${said('only we two')}`);
	await bob.reads(said('only we two'));
}

// wholly: what stands below has not covered the last line.
async function wholly(person, line) {
	await person.page.waitForFunction((el) => {
		const [a, b] = [el.getBoundingClientRect(), el.closest('[role=region]').getBoundingClientRect()];
		return a.top >= b.top && a.bottom <= b.bottom;
	}, await line.elementHandle());
}

// members looks at who is in the group that is open: everybody, and nobody else.
async function members(person, count, ...others) {
	if (!(await person.page.getByRole('complementary').isVisible())) await person.page.getByRole('banner').getByRole('button', { name: 'Library plan' }).or(person.page.getByRole('button', { name: 'Library plan', exact: true })).first().click();
	await person.page.getByRole('complementary').getByText(`${count} members`).waitFor();
	for (const other of [{ name: person.say('you') }, ...others]) await member(person, other).waitFor();
	same(await person.page.getByRole('complementary').getByRole('region').getByRole('listitem').count(), count, 'how many are listed');
}

function member(person, other) {
	return person.page.getByRole('complementary').getByRole('listitem').filter({ hasText: other.name });
}

async function chooses(person, other, key) {
	await member(person, other).getByRole('button').click();
	await person.page.getByRole('menuitem', { name: person.say(key) }).click();
}

// other is somebody with a program of another maker, who does what a story wishes.
function other(stage, name) {
	return { name, address: `${name}@${stage.how.domain}`, does: (what) => stage.wish(`${name} ${what}`) };
}
