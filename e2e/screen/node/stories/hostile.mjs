// Mallory writes to alice what would run, load or mislead if it were anything but text. The
// canary is a global that nothing of it may set.

import { args as camera, lens, sees } from '../camera.mjs';
import { desktop, phone } from '../stage.mjs';

export const args = camera;

export default async function hostile(stage, { texts, uploads }) {
	const alice = await stage.person('alice', desktop, lens);
	const mallory = { name: /mallory|ali/, address: 'mallory@localhost' };
	watch(alice);
	await alice.signsIn();
	await alice.meets({ name: 'mallory', address: mallory.address });
	await stage.wish('mallory meets alice');
	await alice.reads('hello');

	for (const text of texts) {
		await stage.wish('mallory writes');
		const row = alice.page.getByRole('article').last();
		await alice.page.waitForFunction(shows, letters(text)).catch(async (e) => {
			throw new Error(`${text.slice(0, 60)}… is not shown: ${await row.innerText()}`, { cause: e });
		});
		await sound(alice);
	}
	await stacked(alice);
	for (const link of await alice.page.getByRole('article').getByRole('link').all()) {
		const [to, target, rel] = await link.evaluate((a) => [a.href, a.target, a.rel]);
		if (!/^https?:/.test(to) || target !== '_blank' || !/noopener/.test(rel) || !/noreferrer/.test(rel)) throw new Error(`a link to ${to} ${target} ${rel}`);
	}

	await stage.wish('mallory pretends');
	await alice.reads('an answer');
	await alice.page.getByRole('region', { name: alice.say('chats') }).getByRole('link', { name: 'alice <img src=x onerror=globalThis.canary=1>' }).first().waitFor();
	await sound(alice);
	const group = alice.page.getByRole('region', { name: alice.say('chats') }).locator('a[href*="@conference."]');
	await group.click();
	await alice.page.getByRole('main').getByText('<img src=x').first().waitFor();
	await sound(alice);
	for (const panel of ['contact', 'media', 'lock', 'search']) {
		await alice.place(`chat/${mallory.address}/panel/${panel}`);
		await alice.page.locator('aside h2').waitFor();
		await sound(alice);
	}
	await alice.place(`chat/${mallory.address}`);

	await stage.wish('mallory sends files');
	await alice.reads('the last.txt');
	await sound(alice);
	const html = alice.message('.html').last();
	const named = (what) => html.getByRole('button', { name: new RegExp(`^${alice.say(what, { name: '|' }).split('|')[0]}`) });
	const [fetch, save] = [named('files_fetch'), named('files_save')];
	await fetch.or(save).first().waitFor();
	if (await fetch.isVisible()) await fetch.click({ timeout: 5000 }).catch(() => {}); // unless it comes by itself meanwhile; the button then is one to cancel
	await save.waitFor();
	const [download] = await Promise.all([alice.page.waitForEvent('download'), save.click()]);
	if (/[<>\u202e/]/.test(download.suggestedFilename())) throw new Error(`saved as ${download.suggestedFilename()}`);
	await sound(alice);

	await changed(stage, alice);
	await squares(alice, mallory);
	await pasted(alice);
	for (const link of uploads) await uploaded(alice, link);
	await fragments(stage, alice);
	await alice.place(`chat/${mallory.address}`);
	await alice.writes('still here');
	await alice.delivered('still here', 'sent', 'delivered', 'read');
	await stage.snap('hostile');
}

// watch hears of what scripts would do.
function watch(person) {
	const { stage, context } = person;
	const wrong = (what) => stage.complaints.push(`${person.name}: ${what}`);
	context.on('page', (page) => page.on('dialog', (d) => (wrong(`a dialog: ${d.message()}`), d.dismiss())));
	person.page.on('dialog', (d) => (wrong(`a dialog: ${d.message()}`), d.dismiss()));
	context.on('request', (r) => /^(https?|wss?):/.test(r.url()) && new URL(r.url()).host !== new URL(person.at).host && wrong(`a request to ${r.url()}`));
}

// letters are those of a text, without what styling takes away.
const letters = (text) => text.replace(/[^\p{L}\p{N}(){}=]/gu, '').slice(0, 400);

function shows(wanted) {
	const last = [...document.querySelectorAll('article .text')].at(-1);
	return last?.textContent.replace(/[^\p{L}\p{N}(){}=]/gu, '').includes(wanted.slice(0, 300));
}

// sound looks at all that is on the screen.
async function sound(person) {
	const wrong = await person.page.evaluate(look);
	if (wrong.length > 0) throw new Error(wrong.join('\n'));
}

function look() {
	const wrong = [];
	if (globalThis.canary) wrong.push('a script has run');
	const ours = (address) => !address || address.startsWith('blob:') || new URL(address, location.href).origin === location.origin;
	for (const e of document.body.querySelectorAll('*')) {
		const tag = e.tagName.toLowerCase();
		if (['script', 'iframe', 'object', 'embed', 'base', 'meta', 'link', 'style', 'foreignobject', 'math', 'frame', 'marquee'].includes(tag)) wrong.push(`there is a ${tag}`);
		for (const { name, value } of e.attributes) {
			if (name.startsWith('on')) wrong.push(`${tag} has ${name}`);
			if (/^(href|action|formaction|xlink:href)$/.test(name) && /^\s*(javascript|data|vbscript|file):/i.test(value)) wrong.push(`${tag} leads to ${value.slice(0, 40)}`);
			if (/^(src|srcset|poster)$/.test(name) && !ours(value)) wrong.push(`${tag} loads ${value.slice(0, 40)}`);
		}
	}
	// outside of what was written nothing turns the direction of what stands around it
	for (const e of document.querySelectorAll('bdi, h1, h2, header, [aria-label]')) {
		const label = (e.getAttribute('aria-label') ?? '').replace(/\u2068[^\u202A-\u202E\u2066-\u2069]*\u2069/g, ''); // a name that is kept apart
		const said = e.closest('article .text') ? '' : `${e.tagName === 'BDI' ? e.textContent : ''}${label}`;
		if (/[\u202A-\u202E\u2066-\u2069]/.test(said)) wrong.push(`a name turns what is around it: ${said}`);
	}
	return wrong;
}

// stacked: marks upon marks stay in their own bubble.
async function stacked(alice) {
	const [tower, next] = [alice.page.getByRole('article').nth(-2), alice.page.getByRole('article').last()];
	const shot = () => next.screenshot({ animations: 'disabled', caret: 'hide' });
	const styled = (name, value) => tower.locator('.text').evaluate((e, [n, v]) => e.style.setProperty(n, v), [name, value]);
	const beside = await shot();
	await styled('visibility', 'hidden');
	const without = await shot();
	if (!beside.equals(without)) throw new Error('marks of one message are painted over the next one');
	await styled('visibility', '');
	await styled('overflow', 'visible');
	if (without.equals(await shot())) throw new Error('these marks reach nothing: the test proves nothing');
	await styled('overflow', '');
}

// changed: pictures that were changed after they were encrypted are not shown, and that is said;
// those whose sender has encrypted what is no picture are none.
async function changed(stage, alice) {
	const drawn = () => alice.page.evaluate(() => [...document.querySelectorAll('article img')].filter((i) => i.naturalWidth === 120).length);
	await stage.wish('mallory sends pictures');
	// opening a file has brought it into sight: whoever is not at the end since then goes there
	const ended = (toLatest) => {
		[...document.querySelectorAll('main button')].find((b) => b.getAttribute('aria-label') === toLatest)?.click();
		return [...document.querySelectorAll('article img')].some((i) => i.naturalWidth === 120);
	};
	await alice.page.waitForFunction(ended, alice.say('to_latest'));
	await alice.page.getByRole('article').getByText(alice.say('failure_tampered')).nth(1).waitFor();
	if ((await drawn()) !== 1) throw new Error(`${await drawn()} pictures are drawn`);
	await sound(alice);
	await stage.snap('hostile-pictures');
}

// squares: what a camera sees is a text like any other.
async function squares(alice, mallory) {
	for (const text of ['<img src=x onerror=globalThis.canary=1>', 'javascript:globalThis.canary=1', 'https://evil.example/invite/x"><script>globalThis.canary=1</script>', 'xmpp:<script>globalThis.canary=1</script>@localhost?roster']) {
		sees(text);
		await alice.place('page/people');
		await alice.place('page/scan');
		await alice.page.getByRole('alert').filter({ hasText: /\S/ }).first().waitFor();
		await sound(alice);
	}
	await alice.place(`chat/${mallory.address}/panel/codes`);
	await alice.page.getByRole('button', { name: new RegExp(`^${alice.say('trust_scan', { name: '' })}`) }).click();
	await alice.page.getByRole('alert').getByText(alice.say('trust_result_none')).waitFor();
	await sound(alice);
	await alice.place(`chat/${mallory.address}`);
}

// pasted: what comes by the clipboard or by dragging is text, or a file to be looked at first.
async function pasted(alice) {
	await alice.field().focus();
	for (const kind of ['paste', 'drop']) {
		await alice.field().evaluate((field, kind) => {
			const given = new DataTransfer();
			given.setData('text/html', '<img src=x onerror="globalThis.canary=1"><script>globalThis.canary=1</script>');
			given.setData('text/plain', '<img src=x onerror=globalThis.canary=1>');
			given.setData('text/uri-list', 'javascript:globalThis.canary=1');
			const how = { bubbles: true, cancelable: true };
			field.dispatchEvent(kind === 'paste' ? new ClipboardEvent('paste', { ...how, clipboardData: given }) : new DragEvent('drop', { ...how, dataTransfer: given }));
		}, kind);
		await sound(alice);
	}
}

// uploaded: a file of this very site's, opened in a tab, is no page of the site; and no script of it.
async function uploaded(alice, link) {
	alice.stage.expect(/localStorage.*sandboxed|Applying inline style|refused by the policy: style-src|^\s*$/);
	const tab = await alice.context.newPage();
	const opened = await tab.goto(link).catch((e) => (/Download is starting|ERR_ABORTED/.test(e.message) ? null : Promise.reject(e)));
	if (opened) {
		const can = await tab.evaluate(async () => {
			const may = async (f) => { try { await f(); return true; } catch { return false; } };
			return { origin: self.origin, canary: Boolean(globalThis.canary), keys: await may(() => indexedDB.databases().then((all) => all.length || Promise.reject())), storage: await may(() => localStorage.length) };
		});
		if (can.origin !== 'null' || can.canary || can.keys || can.storage) throw new Error(`${link} is ${JSON.stringify(can)}`);
	}
	await tab.close();
	alice.stage.expect(/MIME|Failed to (fetch|load)|TrustedScriptURL|Trusted|trusted|script-src|ERR_BLOCKED/);
	const ran = await alice.page.evaluate(async (link) => {
		const may = async (f) => { try { await f(); return true; } catch { return false; } };
		return { module: await may(() => import(link)), worker: await may(() => new Worker(link)), service: await may(() => navigator.serviceWorker.register(link)), canary: Boolean(globalThis.canary) };
	}, link);
	if (ran.module || ran.worker || ran.service || ran.canary) throw new Error(`${link} ran: ${JSON.stringify(ran)}`);
}

const behind = [
	'#invite=<img src=x onerror=globalThis.canary=1>', '#invite=%3Cscript%3EglobalThis.canary=1%3C/script%3E', '#invite=../../../upload/x', '#link=javascript:globalThis.canary=1',
	'#link=mirsal:link?a=<img/src=x/onerror=globalThis.canary=1>', '#link=mirsal%3Alink%3Fa%3D%3Cscript%3E', '#/chat/<img src=x onerror=globalThis.canary=1>', '#/chat/javascript:globalThis.canary=1',
	'#/chat/%00%ff', '#/page/constructor', '#/page/__proto__', '#/chat/mallory@localhost/panel/__proto__', '#/chat/mallory@localhost/message/<script>', '#javascript:globalThis.canary=1',
];

// fragments: what stands in an address is looked up, shown or ignored.
async function fragments(stage, alice) {
	const eve = await stage.person('eve', phone);
	watch(eve);
	stage.expect(/404|400|429/);
	for (const p of [eve, alice]) {
		for (const part of behind) {
			await p.page.goto('about:blank');
			await p.goes(`/${part}`);
			await p.page.getByRole('heading').or(p.page.getByRole('link')).or(p.page.getByRole('button')).first().waitFor();
			await sound(p);
		}
		await p.page.goto('about:blank');
		await p.goes();
	}
	await alice.page.getByRole('heading', { name: alice.say('chats') }).waitFor();
}
