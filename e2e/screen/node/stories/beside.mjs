// The same day with Mirsal's screen and with converse.js, on one server, one account and one
// machine, in turns: coming in, coming back, opening a chat, sending. Everything is measured
// in the page by its own clock; what another person's program heard, by the machine's.

import { desktop } from '../stage.mjs';
import { round } from '../frames.mjs';
import { converse, Gate } from '../gate.mjs';

const texts = 20; // messages that are sent one after the other

export default async function beside(stage, { runs, ws }) {
	const site = await converse();
	stage.expect(/.*/); // what converse.js says of itself on the console is not ours to judge
	for (let run = -1; run < runs; run++) { // the first one warms up what is packed when it is asked for
		for (const [name, day] of run % 2 ? [['mirsal', mirsal], ['converse', other]] : [['converse', other], ['mirsal', mirsal]]) {
			const gate = await Gate.open(name === 'mirsal' ? stage.how.at : site.at);
			const told = { client: name, run, ...(await day(stage, gate, ws, run)) };
			gate.close();
			if (run >= 0) await stage.wish(`record ${JSON.stringify(told)}`);
		}
	}
	site.close();
}

// seen is when something that a function looks for was first there, in ms since the page began.
const seen = async (page, look, arg) => round(await (await page.waitForFunction(look, arg, { polling: 'raf' })).jsonValue());

async function mirsal(stage, gate, ws, run) {
	const alice = await stage.person('alice', { ...desktop, at: gate.at });
	const { page } = alice;
	const list = () => document.querySelectorAll('section .rows li').length >= 51 && performance.now();
	const numbers = await Numbers.begin(alice);
	await alice.goes();
	const way = alice.page.getByRole('button', { name: alice.say('onboarding_way_code') });
	await way.waitFor();
	const form = round(await page.evaluate(() => performance.now()));
	await way.click();
	await page.getByLabel(alice.say('signin_address')).fill(alice.address);
	await page.getByLabel(alice.say('signin_password')).fill(stage.how.password);
	const button = alice.button('signin_go');
	const asked = await page.evaluate(() => performance.now());
	await button.click();
	const first = { form_ms: form, list_after_signing_in_ms: round((await seen(page, list)) - asked) };
	await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
	await page.waitForFunction(() => navigator.serviceWorker.controller || caches.keys().then((k) => k.length > 0));
	Object.assign(first, loaded(gate), await numbers.now());
	await page.evaluate(() => dispatchEvent(new Event('pagehide')));
	await page.reload();
	const second = { list_ms: await seen(page, list) };
	await page.waitForTimeout(2000);
	await alice.row({ name: 'friend07' }).waitFor();

	const opened = await opens(page, alice.row({ name: 'friend07' }), () => [...document.querySelectorAll('article')].some((a) => a.innerText.includes('hello from friend07')));
	await alice.row({ name: 'bob' }).click();
	await alice.field().waitFor();
	const said = await says(stage, page, run, 'mirsal', alice.field(), 'main article');
	Object.assign(second, loaded(gate), await numbers.now());
	await page.close();
	await alice.context.close();
	return { first, second, opened_ms: opened, ...said };
}

async function other(stage, gate, ws, run) {
	const alice = await stage.person('alice', { ...desktop, at: gate.at });
	const { page, context } = alice;
	await context.addInitScript((s) => { window.settings = s; }, { websocket_url: ws, discover_connection_methods: false, auto_login: true, jid: alice.address, password: stage.how.password, auto_subscribe: true, reuse_scram_keys: false, enable_smacks: false });
	const list = () => document.querySelectorAll('#converse-roster a.open-chat').length >= 51 && performance.now();
	const numbers = await Numbers.begin(alice);
	await alice.goes();
	const first = { list_ms: await seen(page, list) };
	await page.waitForFunction(() => window.seen?.keys);
	Object.assign(first, loaded(gate), await numbers.now());
	await page.reload();
	const second = { list_ms: await seen(page, list) };
	await page.waitForFunction(() => window.seen?.connected?.());
	await page.waitForTimeout(2000); // both have come to rest

	const item = (name) => page.locator(`#converse-roster a.open-chat[data-jid="${name}@localhost"]`);
	const opened = await opens(page, item('friend07'), () => [...document.querySelectorAll('.chat-content .chat-msg__text')].some((a) => a.innerText.includes('hello from friend07')));
	await item('bob').click();
	const field = page.locator('converse-chat[jid="bob@localhost"] textarea.chat-textarea, textarea.chat-textarea').last();
	await field.waitFor();
	await page.locator('.toggle-omemo[data-disabled=false]').last().click();
	await page.locator('.toggle-omemo .fa-lock').last().waitFor();
	const said = await says(stage, page, run, 'converse', field, '.chat-msg');
	Object.assign(second, loaded(gate), await numbers.now());
	await page.close();
	await context.close();
	return { first, second, opened_ms: opened, ...said };
}

function loaded(gate) {
	const { files, stream } = gate.count();
	return { loaded_kb: round(files / 1000), stream_kb: round(stream / 1000) };
}

// opens is how long it takes from a click until what was said there is seen.
async function opens(page, row, look) {
	await row.evaluate((el) => el.addEventListener('click', () => (window.clicked = performance.now()), { capture: true, once: true }));
	await row.click();
	const at = await seen(page, new Function(`return (${look})() && performance.now()`));
	return round(at - (await page.evaluate(() => window.clicked)));
}

// says sends texts, each when the one before was heard: how long until it is seen here, and
// until another person's program has it. Medians.
async function says(stage, page, run, who, field, bubble) {
	const shown = [], heard = [];
	let lock = '';
	for (let i = 0; i < texts; i++) {
		const text = `${who} ${run} ${i} ${Math.random().toString(36).slice(2)}`;
		await field.fill(text);
		await page.evaluate(watchFor, { text, bubble });
		await field.press('Enter');
		const { pressed, there } = await (await page.waitForFunction(() => window.said.there && window.said, null, { polling: 'raf' })).jsonValue();
		const [at, state] = (await stage.wish(`heard ${text}`)).split(' ');
		shown.push(there - pressed);
		heard.push(Number(at) - pressed);
		lock = state;
	}
	const median = (list) => round(list.sort((a, b) => a - b)[list.length >> 1]);
	return { shown_ms: median(shown.slice(1)), heard_first_ms: round(heard[0]), heard_ms: median(heard.slice(1)), lock };
}

function watchFor({ text, bubble }) {
	const now = () => performance.timeOrigin + performance.now();
	window.said = {};
	document.addEventListener('keydown', () => (window.said.pressed = now()), { capture: true, once: true });
	const watch = new MutationObserver(() => {
		if (![...document.querySelectorAll(bubble)].some((b) => b.textContent.includes(text))) return;
		watch.disconnect();
		requestAnimationFrame(() => setTimeout(() => (window.said.there = now())));
	});
	watch.observe(document.body, { childList: true, subtree: true, characterData: true });
}

// Numbers are what the page's main thread has done since they were looked at last, and what it
// holds.
class Numbers {
	main = 0;
	script = 0;

	static async begin(person) {
		const n = new Numbers();
		n.cdp = await person.context.newCDPSession(person.page);
		await n.cdp.send('Performance.enable');
		return n;
	}

	async now() {
		const { metrics } = await this.cdp.send('Performance.getMetrics');
		const of = (name) => metrics.find((m) => m.name === name).value;
		const [main, script] = [of('TaskDuration') * 1000, of('ScriptDuration') * 1000];
		const since = { main_ms: round(main < this.main ? main : main - this.main), script_ms: round(script < this.script ? script : script - this.script) };
		Object.assign(this, { main, script });
		await this.cdp.send('HeapProfiler.collectGarbage');
		const { usedSize } = await this.cdp.send('Runtime.getHeapUsage');
		return { ...since, heap_mb: round(usedSize / 1e6), nodes: of('Nodes') };
	}
}
