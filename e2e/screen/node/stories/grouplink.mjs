// A group's link: Alice makes it, Bob with an account asks and is let in, both write; Carol is
// declined; Dora comes by a new account; a link that was ended leads nowhere.

import { desktop, phone } from '../stage.mjs';
import { look } from './looks.mjs';

export default async function grouplink(stage) {
	stage.expect(/status of 404/); // the link that was ended
	const alice = await stage.person('alice', desktop);
	const bob = await stage.person('bob', phone);
	const carol = await stage.person('carol', desktop);
	for (const p of [alice, bob, carol]) await p.signsIn();

	await alice.place('page/group');
	await alice.page.getByLabel(alice.say('group_name')).fill('Reading circle');
	await alice.button('group_create').click();
	await alice.field().waitFor();
	const room = decodeURIComponent(new URL(alice.page.url()).hash.split('/')[2]);
	await alice.place(`chat/${room}/panel/group-link`);
	await alice.button('people_invite_make').click();
	const link = await linkOf(alice);
	await keep(alice, 'group-link');

	// asks, and is let in
	await opens(bob, link);
	await bob.page.getByText(bob.say('group_link_asks')).waitFor();
	await keep(bob, 'group-link-ask');
	await bob.button('group_link_ask').click();
	await bob.page.getByText(bob.say('group_waits')).first().waitFor();
	if (await bob.page.getByText(bob.say('trust_open_short')).count()) throw new Error('what is not known is said to be open');
	await keep(bob, 'group-link-waits');
	await alice.button('group_accept', { name: 'bob' }).waitFor();
	await keep(alice, 'group-link-asks');
	await alice.button('group_accept', { name: 'bob' }).click();
	await bob.field().waitFor();
	await bob.writes('شكرًا على الدعوة');
	await alice.reads('شكرًا على الدعوة');
	await alice.writes('Welcome, Bob');
	await bob.reads('Welcome, Bob');
	for (const p of [alice, bob]) if (await p.page.getByText(p.say('lock_open')).count()) throw new Error(`${p.name} has something that is not encrypted`);
	await alice.page.locator('header').getByText('bob').waitFor(); // under the name of the group
	await stage.snap('grouplink-in');

	// is declined
	await opens(carol, link);
	await carol.button('group_link_ask').click();
	await carol.page.getByText(carol.say('group_waits')).first().waitFor();
	await alice.button('group_decline', { name: 'carol' }).click();
	await carol.page.getByText(carol.say('group_line_declined')).first().waitFor();

	// without an account; nobody is asked now
	await alice.page.getByRole('switch', { name: alice.say('group_approve') }).uncheck();
	await alice.page.waitForFunction(() => !document.querySelector('aside input[role=switch]').checked);
	const dora = await stage.person('dora', phone);
	await dora.page.goto(link);
	await dora.page.getByLabel(dora.say('onboarding_name'), { exact: true }).fill('Dora');
	await dora.button('onboarding_enter').click();
	await dora.field().waitFor();
	await dora.writes('أنا دورا');
	await alice.reads('أنا دورا');
	await bob.reads('أنا دورا');
	await stage.snap('grouplink-new');

	// ended
	await alice.place(`chat/${room}/panel/group-link`);
	await alice.button('group_link_revoke').click();
	await alice.page.getByRole('dialog').getByRole('button', { name: alice.say('group_link_revoke') }).click();
	await alice.button('people_invite_make').waitFor();
	await opens(carol, link);
	await carol.page.getByText(carol.say('onboarding_gone')).first().waitFor();
}

// the link and the address of a group are others each time, and so is its colour
const keep = (person, name) => look(person, name, person.page.locator('p.code'), person.page.locator('.avatar'), person.page.locator('aside svg'), person.page.locator('aside canvas'));

async function linkOf(person) {
	const it = person.page.getByRole('complementary').locator('p.code');
	await it.waitFor();
	return (await it.innerText()).trim();
}

// opens a link as one does who has the screen open: what the server makes of it stands behind the #
async function opens(person, link) {
	await person.page.evaluate((token) => (location.hash = `#invite=${token}`), link.split('/').pop());
}
