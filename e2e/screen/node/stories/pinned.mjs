// What the server hands out is changed on the way: what is kept is used, and what is not
// whole is not taken. One who never was here is not given a changed script to run.

import { desktop, same } from '../stage.mjs';

export default async function pinned(stage) {
	const at = stage.how.forged;
	stage.expect(/integrity|ERR_FAILED|Failed to (find|fetch|load)|SRI|digest/);

	// a first visit: a changed file does not run
	for (const wish of ['forge the script', 'forge a part', 'forge the engine']) {
		await stage.wish(wish);
		const eve = await stage.person('eve', { ...desktop, at });
		const refused = wish === 'forge the engine' ? eve.page.getByText(eve.say('failure_broken')).first().waitFor() : eve.page.waitForEvent('console', { predicate: (m) => /integrity/.test(m.text()) });
		await Promise.all([refused, eve.goes()]);
		if (await eve.page.evaluate(() => globalThis.forged)) throw new Error(`${wish}: it has run`);
		await eve.context.close();
		stage.people.pop();
	}

	await stage.wish('forge nothing');
	const alice = await stage.person('alice', { ...desktop, at });
	await alice.signsIn();
	await alice.page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
	await alice.page.reload();
	await alice.page.waitForFunction(() => navigator.serviceWorker.controller);

	// later: the release that is kept
	for (const wish of ['forge the page', 'forge the script', 'forge a part', 'forge the engine', 'forge the list', 'forge the service worker']) {
		await stage.wish(wish);
		await alice.page.reload();
		await alice.page.getByRole('heading', { name: alice.say('chats') }).waitFor();
		await alice.page.waitForFunction(() => navigator.serviceWorker.controller);
		same(await alice.page.evaluate(renewed), { waiting: false, active: 'activated' }, wish);
		if (await alice.page.evaluate(() => globalThis.forged || document.body.textContent.includes('forged'))) throw new Error(`${wish}: it was used`);
		if (await alice.page.getByText(alice.say('update_waits')).count()) throw new Error(`${wish}: it was announced`);
		await alice.button('chat_new').first().click(); // a part that comes later
		await alice.whom().waitFor();
		await alice.place('');
	}

	await thrownAway(stage, alice);

	// another release that is whole is told of, and waits; all windows begin anew with it
	const other = await alice.context.newPage();
	await other.goto(alice.at);
	await other.getByRole('heading', { name: alice.say('chats') }).waitFor();
	await stage.wish('forge a release');
	await alice.page.evaluate(() => void navigator.serviceWorker.getRegistration().then((r) => r.update()));
	await alice.page.getByText(alice.say('update_waits')).waitFor();
	await stage.snap('pinned');
	await Promise.all([alice.page.waitForEvent('load'), other.waitForEvent('load'), alice.button('update_take').click()]);
	for (const page of [alice.page, other]) {
		await page.getByRole('heading', { name: alice.say('chats') }).waitFor();
		await page.getByText(alice.say('update_waits')).waitFor({ state: 'hidden' });
	}
}

// thrownAway: what the browser has thrown out of its cache comes anew as it was, or not at all.
async function thrownAway(stage, alice) {
	const whole = {};
	for (const [wish, file] of [['forge the page', /^\/index\.html$/], ['forge the script', /^\/assets\/index-[^/]*\.js$/], ['forge the engine', /engine\.wasm$/]]) {
		await stage.wish('forge nothing');
		whole[wish] = await alice.page.evaluate(anew, [file, true]);
		await stage.wish(wish);
		same(await alice.page.evaluate(anew, [file, true]), 'refused', wish);
		await stage.wish('forge nothing');
		same(await alice.page.evaluate(anew, [file, false]), whole[wish], `${wish}, and then not`);
	}
	if (Object.values(whole).includes('refused')) throw new Error(`nothing comes anew: ${JSON.stringify(whole)}`);
}

// anew fetches a file of the release, which is thrown away before; it is told by its length.
async function anew([file, throws]) {
	const name = (await caches.keys()).find((n) => n.startsWith('mirsal '));
	const cache = await caches.open(name);
	const all = (await (await fetch('/manifest.json')).json()).files;
	const path = Object.keys(all).map((p) => `/${p}`).find((p) => file.test(p));
	if (throws) await cache.delete(path);
	try {
		return (await (await fetch(path)).arrayBuffer()).byteLength;
	} catch {
		return 'refused';
	}
}

// renewed looks for another release, and waits until it is taken or refused.
async function renewed() {
	const registration = await navigator.serviceWorker.getRegistration();
	await registration.update().catch(() => {});
	const next = registration.installing;
	if (next) await new Promise((over) => next.addEventListener('statechange', () => next.state !== 'installing' && over()));
	return { waiting: Boolean(registration.waiting), active: registration.active.state };
}
