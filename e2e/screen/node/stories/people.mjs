// How people find each other: by a link that one makes and another pastes, by an address and
// an answer; a group that is described, called otherwise and joined later; what is known of a
// contact; a group that is deleted.

import { desktop, phone, same } from '../stage.mjs';

export default async function people(stage) {
	const alice = await stage.person('alice', desktop);
	const bob = await stage.person('bob', desktop);
	const dina = await stage.person('dina', phone);
	await Promise.all([alice.signsIn(), bob.signsIn(), dina.signsIn()]);

	await byLink(stage, alice, bob);
	await byAddress(stage, alice, dina);
	const room = await later(stage, alice, bob, dina);
	await contact(stage, alice, bob);
	await deleted(alice, bob, dina, room);
}

async function menu(person, key) {
	await person.button('menu').first().click();
	await person.page.getByRole('menuitem', { name: person.say(key) }).click();
}

async function byLink(stage, alice, bob) {
	await menu(alice, 'people_invite');
	await alice.button('people_invite_make').click();
	const link = await alice.page.getByText(/^https?:\/\/\S+$/).innerText();
	await stage.snap('people-invite');
	await menu(bob, 'people');
	await bob.page.getByRole('button', { name: bob.say('people_add') }).click();
	await bob.page.getByLabel(bob.say('people_add_what')).fill(link.replace(/^https?:\/\/[^/]+/, bob.at));
	await bob.button('new_add').click();
	await bob.in(alice);
	await bob.writes('here I am, by your link');
	await alice.place('');
	await alice.opens(bob);
	await alice.reads('here I am, by your link');
	same(await alice.button('asks_yes').count(), 0, 'what is asked of who has made a link');
}

async function byAddress(stage, alice, dina) {
	await menu(dina, 'people');
	await dina.page.getByRole('button', { name: dina.say('people_add') }).click();
	await dina.page.getByLabel(dina.say('people_add_what')).fill(alice.address);
	await dina.button('new_add').click();
	await dina.in(alice);
	await menu(alice, 'people');
	await alice.page.getByRole('button', { name: alice.say('people_accept', { name: 'dina' }) }).click();
	await stage.snap('people-asked');
	await alice.page.getByRole('button', { name: alice.say('people_accept', { name: 'dina' }) }).waitFor({ state: 'detached' });
	await alice.place('');
	await dina.writes('صباح الخير');
	await alice.opens(dina);
	await alice.reads('صباح الخير');
}

// A group of two, to which a third comes later: she reads what is said from then on.
async function later(stage, alice, bob, dina) {
	await menu(alice, 'group_new');
	await alice.page.getByLabel(alice.say('group_name')).fill('Library plan');
	await alice.page.getByRole('checkbox', { name: bob.name }).check({ force: true });
	await alice.page.getByRole('button', { name: /^Create group/ }).click();
	await alice.in({ name: 'Library plan' });
	await bob.row({ name: 'Library plan' }).click();
	await bob.button('group_asked_yes').click();
	await bob.in({ name: 'Library plan' });
	await alice.writes('before dina');
	await bob.reads('before dina');

	const panel = alice.page.getByRole('complementary');
	await alice.page.getByRole('heading', { name: 'Library plan' }).getByRole('button').click();
	await panel.getByRole('button', { name: alice.say('group_describe') }).click();
	const form = alice.page.getByRole('dialog');
	await form.getByLabel(alice.say('group_name')).fill('Library plans');
	await form.getByLabel(alice.say('group_description')).fill('What we do on Saturdays.\nBring the keys.');
	await form.getByRole('button', { name: alice.say('save') }).click();
	await panel.getByText('Bring the keys.').waitFor();
	await bob.row({ name: 'Library plans' }).waitFor();

	await panel.getByRole('button', { name: alice.say('group_add') }).click();
	await panel.getByRole('checkbox', { name: dina.name }).check({ force: true });
	await panel.getByRole('button', { name: alice.say('group_add_go') }).click();
	await panel.getByText('3 members').waitFor();
	await stage.snap('people-described');
	await dina.place('');
	await dina.row({ name: 'Library plans' }).click();
	await stage.snap('people-asked-in');
	await dina.button('group_asked_yes').click();
	await dina.field().waitFor();
	await panel.getByRole('listitem').filter({ hasText: dina.name }).getByText(alice.say('group_away')).waitFor({ state: 'detached' });
	await alice.writes('welcome, all three');
	for (const p of [bob, dina]) await p.reads('welcome, all three');
	await dina.writes('شكرًا لكم');
	await bob.reads('شكرًا لكم');
	same(await dina.message('before dina').count(), 0, 'what dina reads of what was said before her');
	await stage.snap('people-three');
	return { name: 'Library plans' };
}

async function contact(stage, alice, bob) {
	await alice.opens(bob);
	await alice.page.getByRole('heading', { name: bob.name }).getByRole('button').click();
	const panel = alice.page.getByRole('complementary');
	await panel.getByText(alice.say('people_shared')).waitFor();
	await panel.getByText('Library plans').waitFor();
	await stage.snap('people-contact');
	await panel.getByRole('button', { name: alice.say('people_rename') }).click();
	await alice.page.getByLabel(alice.say('people_name')).fill('Bob the neighbour');
	await alice.page.getByRole('dialog').getByRole('button', { name: alice.say('save'), exact: true }).click();
	await panel.getByRole('heading', { name: 'Bob the neighbour' }).waitFor();
	await alice.row({ name: 'Bob the neighbour' }).waitFor();
}

async function deleted(alice, bob, dina, room) {
	await alice.opens(room);
	await alice.page.getByRole('heading', { name: room.name }).getByRole('button').first().click();
	await alice.page.getByRole('complementary').getByRole('button', { name: alice.say('group_delete') }).click();
	await alice.page.getByRole('dialog').getByRole('button', { name: alice.say('group_delete') }).click();
	await alice.row(room).waitFor({ state: 'detached' });
	for (const p of [bob, dina]) await p.page.getByText(p.say('group_over')).waitFor();
}
