// Alice comes back: her chats are there before the engine is, and without a network.

import { desktop, phone } from '../stage.mjs';

export default async function again(stage) {
	const alice = await stage.person('alice', { ...phone, at: stage.how.line });
	const bob = await stage.person('bob', desktop);
	await Promise.all([alice.signsIn(), bob.signsIn()]);
	await bob.meets(alice);
	await bob.writes('see you tomorrow');
	await alice.row(bob).getByText('see you tomorrow').waitFor();
	await alice.opens(bob);
	await alice.accepts();
	await alice.reads('see you tomorrow');
	await alice.page.goBack();
	await alice.page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
	await left(alice);

	// the engine does not come at all, and the chats are there
	stage.expect(/engine|ERR_FAILED/);
	await alice.context.route(/\/engine\//, () => {}); // never answered
	await alice.page.reload();
	await alice.row(bob).getByText('see you tomorrow').waitFor();
	const painted = await alice.page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
	console.error(`chats painted after ${Math.round(painted)} ms, without the engine`);
	await alice.opens(bob);
	await alice.reads('see you tomorrow');
	await alice.context.unroute(/\/engine\//);

	await stage.offline(alice, true);
	await alice.goes('/');
	await alice.row(bob).getByText('see you tomorrow').waitFor();
	await alice.page.getByText(alice.say('offline')).waitFor();
	await stage.offline(alice, false);
	await bob.writes('and the day after');
	await alice.row(bob).getByText('and the day after').waitFor();
	await stage.snap('again');
}

// left has the page hidden, as when one goes elsewhere: what was seen is kept.
async function left(person) {
	await person.page.evaluate(() => dispatchEvent(new Event('pagehide')));
	await person.page.waitForFunction(async () => {
		const open = indexedDB.open('mirsal screen');
		return new Promise((there) => {
			open.onsuccess = () => {
				const db = open.result;
				if (!db.objectStoreNames.contains('kept')) return db.close(), there(false);
				const r = db.transaction('kept').objectStore('kept').get('snapshot');
				r.onsuccess = () => (db.close(), there(Boolean(r.result)));
			};
		});
	});
}
