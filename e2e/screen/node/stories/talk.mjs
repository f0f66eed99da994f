// Alice on a desktop in English and Bob on a phone in Arabic: words in both directions, a
// reply, a reaction, an edit, one taken back; a line that is cut and comes back.

import { desktop, phone } from '../stage.mjs';

export default async function talk(stage) {
	const alice = await stage.person('alice', desktop);
	const bob = await stage.person('bob', { ...phone, at: stage.how.line });
	await Promise.all([alice.signsIn(), bob.signsIn()]);
	await alice.meets(bob);
	await alice.writes('Hello Bob! The library opens on *Saturday*.');
	await bob.opens(alice);
	await bob.reads('Hello Bob!');
	await bob.accepts();
	await bob.writes('نعم رأيته، سآتي صباح السبت.');
	await alice.reads('سآتي صباح السبت');
	await alice.delivered('Hello Bob!', 'delivered', 'read');

	// locked: nothing here says that something is not encrypted
	for (const p of [alice, bob]) if (await p.page.getByText(p.say('lock_open')).count()) throw new Error(`${p.name} has something that is not encrypted`);

	await bob.acts('Hello Bob!', 'reply');
	await bob.writes('إلى اللقاء!');
	await alice.message('إلى اللقاء').getByText('The library opens').waitFor();

	await alice.message('إلى اللقاء').hover();
	await alice.message('إلى اللقاء').getByRole('button', { name: alice.say('react'), exact: true }).click();
	await alice.page.getByRole('group').getByText('❤️').click();
	await bob.message('إلى اللقاء').getByText('❤️').waitFor();

	await alice.writes('wrong wrods');
	await bob.reads('wrong wrods');
	await alice.acts('wrong wrods', 'edit');
	await alice.field().fill('right words');
	await alice.button('save').click();
	await bob.message('right words').getByText(bob.say('edited')).waitFor();
	if (await bob.message('wrong wrods').count()) throw new Error('bob has the words that were corrected');
	await alice.delivered('right words', 'read');

	await alice.writes('never mind this');
	await bob.reads('never mind this');
	await alice.acts('never mind this', 'delete');
	await alice.page.getByRole('dialog').getByRole('button', { name: alice.say('retract') }).click();
	await bob.message(bob.say('retracted')).waitFor();
	if (await bob.message('never mind this').count()) throw new Error('bob has what was taken back');

	await stage.offline(bob, true);
	await bob.page.goBack();
	await bob.page.getByText(bob.say('offline')).waitFor();
	await bob.opens(alice);
	if (await bob.page.getByText(bob.say('online'), { exact: true }).count()) throw new Error('without a line bob sees that alice is here');
	await bob.writes('كُتِب بلا اتصال');
	await alice.writes('written while bob was away');
	await alice.delivered('written while bob was away', 'sent', 'delivered');
	await stage.offline(bob, false);
	await bob.reads('written while bob was away');
	await alice.reads('كُتِب بلا اتصال');
	await stage.snap('talk');
}
