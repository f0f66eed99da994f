// A long conversation: words are found and jumped to, far back; a message is starred,
// forwarded, deleted for oneself; a chat is put away and taken back.

import { desktop } from '../stage.mjs';

export default async function finding(stage) {
	const alice = await stage.person('alice', desktop);
	const [bob, carol] = ['bob', 'carol'].map((name) => ({ name, address: `${name}@${alice.stage.how.domain}` }));
	await stage.wish('friends');
	await alice.signsIn();
	for (const friend of [carol, bob]) {
		await alice.meets(friend);
		await alice.writes('hello');
		await alice.delivered('hello', 'sent', 'delivered', 'read');
	}
	await stage.wish('history');
	await alice.row(bob).click();
	await alice.reads('line 299');
	const search = alice.page.getByRole('searchbox', { name: alice.say('chats_filter') });
	await search.fill('needle');
	const hit = alice.page.getByRole('link').filter({ hasText: 'the needle' });
	await hit.waitFor();
	await stage.snap('search');
	for (let i = 0; i < 3; i++) {
		await hit.click();
		await alice.seesWhole('the needle');
		await alice.button('to_latest').click();
		await alice.seesWhole('line 299');
	}
	await hit.click();
	await alice.seesWhole('the needle');
	await alice.acts('the needle', 'star');
	await alice.message('the needle').getByText(alice.say('starred')).waitFor();
	await search.fill('');

	await alice.place(`chat/${bob.address}/panel/starred`);
	const starred = alice.page.getByRole('complementary').getByRole('link').filter({ hasText: 'the needle' });
	await starred.waitFor();
	await alice.place(`chat/${bob.address}`);
	await alice.button('to_latest').click();
	await alice.reads('line 299');

	await alice.acts('line 299', 'forward');
	await alice.page.getByRole('checkbox', { name: 'carol' }).check();
	await alice.page.getByRole('dialog').getByRole('button', { name: alice.say('send') }).click();
	await alice.page.getByRole('heading', { name: 'carol' }).waitFor();
	await alice.reads('line 299');
	await alice.row(bob).click();

	await alice.acts('line 298', 'delete');
	await alice.page.getByRole('dialog').getByRole('button', { name: alice.say('delete_for_me') }).click();
	await alice.message('line 298').waitFor({ state: 'detached' });

	await alice.button('chat_menu').click();
	await alice.page.getByRole('menuitem', { name: alice.say('archive') }).click();
	await alice.row(bob).waitFor({ state: 'detached' });
	await alice.button('undo').click();
	await alice.row(bob).waitFor();
}
