// A group of two: Alice speaks to Bob by his name among much else. He sees it in the list,
// and is led to each place.

import { sound } from '../axe.mjs';
import { desktop, phone, same } from '../stage.mjs';

const club = { name: 'Book club' };

export default async function mentions(stage) {
	const alice = await stage.person('alice', desktop);
	const bob = await stage.person('bob', phone);
	for (const p of [alice, bob]) await p.signsIn();
	await alice.meets(bob);
	await alice.writes('hello');
	await bob.opens(alice);
	await bob.accepts();
	await group(alice, bob);

	// while he looks at the list
	await bob.page.goBack();
	await bob.row(club).waitFor();
	const long = (what) => `${what}\n${'and more of it\n'.repeat(24)}the end of ${what}`;
	await alice.writes(long('one'));
	await alice.writes('shall we meet here, @bob? Not as bob@example.org, nor with @bobby');
	same(await names(alice, 'shall we'), [['@bob', false]], 'whom alice sees spoken to');
	await alice.writes(long('two'));
	await alice.writes(long('three'));
	await alice.writes('and @Bob, bring *the book, @alice has none*');
	same(await names(alice, 'bring'), [['@Bob', false], ['@alice', true]], 'whom alice sees spoken to');
	await stage.snap('mentions-written');
	await alice.writes(long('four'));
	await bob.row(club).getByText(/four/).first().waitFor();
	await bob.row(club).getByText(bob.say('mentioned')).first().waitFor();
	await stage.snap('mentions-list');

	await bob.row(club).click();
	await bob.field().waitFor();
	await bob.button('to_mention').click();
	await bob.seesWhole('shall we');
	same(await names(bob, 'shall we'), [['@bob', true]], 'whom bob sees spoken to');
	await stage.snap('mentions-first');
	await sound(bob, 'a mention');
	await bob.button('to_mention').focus();
	await bob.page.keyboard.press('Enter');
	await bob.seesWhole('bring');
	await bob.page.waitForFunction(() => document.activeElement.matches('article') && document.activeElement.innerText.includes('bring'));
	await bob.button('to_mention').waitFor({ state: 'detached' });
	await stage.snap('mentions-second');
	await bob.button('to_latest').click();
	await bob.page.goBack();
	await bob.row(club).getByText(bob.say('mentioned')).waitFor({ state: 'detached' });
}

async function group(alice, bob) {
	await alice.place('page/group');
	await alice.page.getByLabel(alice.say('group_name')).fill(club.name);
	await alice.page.getByRole('checkbox', { name: bob.name }).check({ force: true });
	await alice.page.getByRole('button', { name: /^Create group/ }).click();
	await alice.in(club);
	await bob.place('');
	await bob.row(club).click();
	await bob.button('group_asked_yes').click();
	await bob.field().waitFor();
	await alice.writes('welcome');
	await bob.reads('welcome');
}

// names are those that stand out in a message, and whether it is the reader's own.
async function names(person, text) {
	const all = person.message(text).locator('.name');
	await all.first().waitFor();
	return all.evaluateAll((list) => list.map((n) => [n.textContent, n.classList.contains('own')]));
}
