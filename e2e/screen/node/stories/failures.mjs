// What does not go on by itself is told calmly: one page or line for each, with the way on
// and no other.

import { desktop, phone, same } from '../stage.mjs';

export default async function failures(stage) {
	const scenes = { old, nothingKept, noEngine, noPart, wrongClock, reset, anotherTab, mistyped, signedOut };
	for (const [name, scene] of Object.entries(scenes)) {
		if (process.env.SCENES && !process.env.SCENES.includes(name)) continue;
		try {
			await scene(stage);
			if (stage.complaints.length) throw new Error('a page has complained');
		} catch (e) {
			throw new Error(name, { cause: e });
		}
		for (const p of stage.people.splice(0)) await p.context.close();
	}
}

async function told(p, key, ...buttons) {
	await p.page.getByRole('heading', { name: p.say(key), exact: true }).waitFor();
	await p.page.getByText(p.say(`${key}_lead`)).waitFor();
	same((await p.page.getByRole('button').allInnerTexts()).map((t) => t.trim()), buttons.map((b) => p.say(b)), `the buttons of ${key}`);
	await p.stage.snap(key);
}

// An address or a code that was mistyped leaves nothing behind: this device was not signed out, it never was in.
async function mistyped(stage) {
	const p = await stage.person('alice', desktop);
	await p.goes();
	await p.page.getByRole('button', { name: p.say('onboarding_way_code') }).click();
	await p.page.getByLabel(p.say('signin_address')).fill('alicia@localhost');
	await p.page.getByLabel(p.say('signin_password')).fill('no such code');
	await p.button('signin_go').click();
	await p.page.getByText(p.say('signin_wrong')).waitFor();
	await p.page.reload();
	await p.page.getByRole('button', { name: p.say('onboarding_way_code') }).waitFor();
	await p.page.getByRole('progressbar').waitFor({ state: 'hidden' });
	same(await p.page.getByRole('heading', { name: p.say('failure_out') }).count(), 0, 'pages that say that it was signed out');
	await p.signsIn();
}

async function old(stage) {
	const p = await stage.person('alice', desktop);
	await p.context.addInitScript(() => delete globalThis.BroadcastChannel);
	await p.goes();
	await told(p, 'failure_old');
}

async function nothingKept(stage) {
	const p = await stage.person('alice', phone);
	await p.context.addInitScript(() => Object.defineProperty(globalThis, 'localStorage', { get: () => { throw new DOMException('no', 'SecurityError'); } }));
	await p.goes();
	await p.page.getByRole('heading').waitFor();
	p.locale = (await p.page.evaluate(() => document.documentElement.lang)) || 'en';
	await told(p, 'failure_storage', 'try_again');
}

async function noEngine(stage) {
	stage.expect(/engine|ERR_FAILED/);
	const p = await stage.person('alice', desktop);
	await p.context.route('**/engine/engine.wasm', (route) => route.abort());
	await p.goes();
	await told(p, 'failure_broken', 'try_again');
	await p.context.unroute('**/engine/engine.wasm');
	await p.button('try_again').click();
	await p.page.getByRole('button', { name: p.say('onboarding_way_code') }).waitFor();
}

async function noPart(stage) {
	stage.expect(/NewChat|Failed to fetch dynamically imported module|ERR_FAILED/);
	const p = await stage.person('alice', desktop, { serviceWorkers: 'block' });
	await p.signsIn();
	await p.context.route(/NewChat/, (route) => route.abort());
	await p.button('chat_new').first().click();
	await p.page.getByText(p.say('part_missing')).waitFor();
	await p.context.unroute(/NewChat/);
	await p.button('try_again').click();
	await p.whom().waitFor();
}

async function wrongClock(stage) {
	const p = await stage.person('alice', phone);
	await p.context.addInitScript(() => {
		const now = Date.now;
		Date.now = () => now() + 3600_000;
	});
	await p.signsIn();
	await p.page.getByText(p.say('failure_clock_fast')).waitFor();
	await stage.snap('failure_clock');
}

async function reset(stage) {
	const p = await stage.person('alice', phone);
	await p.signsIn();
	await p.page.waitForFunction(() => localStorage.getItem('mirsal ')); // whose it is, once it is online
	stage.expect(/taken its storage away/);
	const tools = await p.context.newCDPSession(p.page);
	await tools.send('Storage.clearDataForOrigin', { origin: p.at, storageTypes: 'indexeddb,file_systems' });
	await p.page.reload();
	await told(p, 'failure_reset', 'failure_reset_go');
	await p.button('failure_reset_go').click();
	await p.page.getByRole('button', { name: p.say('onboarding_way_code') }).waitFor();
}

// anotherTab: two of them are normal, and one goes on when the other is closed.
async function anotherTab(stage) {
	const p = await stage.person('alice', desktop);
	await p.signsIn();
	const first = p.page;
	p.page = await p.context.newPage();
	await p.goes();
	await p.page.getByRole('heading', { name: p.say('chats') }).waitFor();
	await first.close();
	await p.button('chat_new').first().click();
	await p.whom().fill('bob@localhost');
	// the engine starts in this tab, and has to connect first
	for (let tries = 0; tries < 30 && !(await p.field().isVisible()); tries++) {
		if (await p.button('new_add').isEnabled()) await p.button('new_add').click().catch(() => {});
		await p.field().waitFor({ timeout: 1000 }).catch(() => {});
	}
	await p.field().waitFor();
}

async function signedOut(stage) {
	const p = await stage.person('bob', phone);
	await p.signsIn();
	stage.expect(/WebSocket|401|ERR_CONNECTION/);
	await stage.wish('revoke');
	await told(p, 'failure_out', 'failure_out_again', 'failure_out_look');
	await p.button('failure_out_look').click();
	await p.page.getByText(p.say('failure_out')).waitFor();
	await p.button('failure_out_again').click();
	await p.page.getByLabel(p.say('signin_password')).fill(`${stage.how.password} anew`);
	await p.button('failure_out_again').click();
	await p.page.getByRole('heading', { name: p.say('chats') }).waitFor();
	await p.page.getByText(p.say('failure_out')).waitFor({ state: 'hidden' });
}
