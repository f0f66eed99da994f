// A Stage is a browser with the people in it. A person is a context of their own, with
// one page or more, and the words of their language.

import fs from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';

export const require = createRequire(new URL('../../browser/package.json', import.meta.url));
const { chromium } = require('playwright-core');

export const desktop = { locale: 'en', theme: 'light', viewport: { width: 1280, height: 800 } };
export const phone = { locale: 'ar', theme: 'dark', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** patience is how long a story waits for what it waits for, in ms. */
export const patience = Number(process.env.PATIENCE ?? 120_000);

export class Stage {
	complaints = [];
	people = [];
	#expected = [];
	#answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

	/** open starts a browser, with more arguments where a story has some. */
	static async open(how, more = []) {
		const stage = new Stage();
		stage.how = how;
		stage.browser = await chromium.launch({ executablePath: how.chromium, chromiumSandbox: process.getuid() !== 0, args: ['--font-render-hinting=none', ...(how.choices?.browser ?? []), ...more] });
		return stage;
	}

	async person(name, kind, options = {}) {
		const { locale, theme, at = this.how.at, ...device } = kind;
		const context = await this.browser.newContext({ ...device, colorScheme: theme, locale, reducedMotion: 'reduce', timezoneId: 'UTC', ...options });
		context.setDefaultTimeout(patience);
		await context.addInitScript(watch, { locale, theme });
		const person = new Person(this, name, context, { locale, theme, at });
		this.people.push(person);
		context.on('page', (page) => this.#listen(name, page));
		person.page = await context.newPage();
		return person;
	}

	#listen(name, page) {
		const complain = (text) => this.#expected.some((e) => e.test(text)) || this.complaints.push(`${name}: ${text}`);
		page.on('console', (m) => m.type() === 'error' && complain(`${m.text()} ${m.location().url}`));
		page.on('pageerror', (e) => complain(String(e.stack ?? e)));
		page.on('worker', (w) => w.on('console', (m) => m.type() === 'error' && complain(`(worker) ${m.text()}`)));
	}

	/** expect names what the story itself breaks, before it does. */
	expect(...complaints) {
		this.#expected.push(...complaints);
	}

	/** wish has the other side do something to the server, and gives what it says of that. */
	async wish(what) {
		process.stdout.write(`${what}\n`);
		const answer = JSON.parse((await this.#answers.next()).value);
		if (!/^done( |$)/.test(answer)) throw new Error(`${what}: ${answer}`);
		return answer.slice(5);
	}

	/** offline has a person who uses the line lose it, or have it back. */
	async offline(person, off) {
		this.expect(/ERR_INTERNET_DISCONNECTED|ERR_CONNECTION|ERR_EMPTY_RESPONSE|WebSocket/);
		await this.wish(off ? 'cut' : 'mend');
		await person.context.setOffline(off);
	}

	/** keep has a picture compared with the one that was kept, but for what is covered. */
	async keep(person, name, mask = []) {
		const file = path.join(this.how.pictures, `kept-${name}-${person.locale}.png`);
		await person.page.screenshot({ path: file, mask, maskColor: '#808080', animations: 'disabled', caret: 'hide' });
	}

	async snap(name) {
		for (const p of this.people) {
			await p.page.screenshot({ path: path.join(this.how.pictures, `${name}-${p.name}.png`) }).catch(() => {});
		}
	}

	/** look tells what everybody has before them: what a story that failed leaves to be read. */
	async look() {
		for (const p of this.people) {
			for (const page of p.context.pages()) {
				const seen = await page.evaluate(() => document.body.innerText.replace(/\s+/g, ' ').trim()).catch(String);
				console.error(`${p.name} at ${page.url()} sees: ${seen.slice(0, 600)}${seen.length > 1200 ? ' … ' : ''}${seen.slice(Math.max(600, seen.length - 600))}`);
			}
		}
	}

	async close() {
		await this.browser.close();
		process.stdin.destroy();
	}
}

// watch runs before the page's own scripts: how it is set, and what its policy refuses.
function watch(choices) {
	if (location.protocol === 'about:') return;
	localStorage.getItem('mirsal screen') ?? localStorage.setItem('mirsal screen', JSON.stringify(choices));
	addEventListener('securitypolicyviolation', (e) => console.error(`refused by the policy: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
}

const words = {};
for (const locale of ['en', 'ar']) {
	words[locale] = JSON.parse(await fs.readFile(new URL(`../../../web/messages/${locale}.json`, import.meta.url), 'utf8'));
}

export class Person {
	constructor(stage, name, context, kind) {
		Object.assign(this, { stage, name, context, ...kind });
		this.address = `${name}@${stage.how.domain}`;
	}

	/** say is a text of the screen in this person's language, with its parameters; beside an empty one no marks of a name are left. */
	say(key, parameters = {}) {
		const text = words[this.locale][key];
		if (typeof text !== 'string') throw new Error(`no words for ${key}`);
		return text.replace(/\{(\w+)\}/g, (_, name) => parameters[name] ?? '').replaceAll('\u2068\u2069', '');
	}

	button(key, parameters) {
		return this.page.getByRole('button', { name: this.say(key, parameters), exact: true });
	}

	async goes(to = '/') {
		await this.page.goto(this.at + to);
	}

	/** place goes to a place of the screen, as written in its address. */
	async place(where) {
		await this.page.evaluate((to) => (location.hash = `#/${to}`), where);
	}

	async signsIn() {
		await this.goes();
		await this.page.getByRole('button', { name: this.say('onboarding_way_code') }).click();
		await this.page.getByLabel(this.say('signin_address')).fill(this.address);
		await this.page.getByLabel(this.say('signin_password')).fill(this.stage.how.password);
		await this.button('signin_go').click();
		await this.page.getByRole('heading', { name: this.say('chats') }).waitFor();
	}

	/** whom is where one says whom to write to: who knows nobody yet has other words there. */
	whom() {
		return this.page.getByLabel(this.say('new_who')).or(this.page.getByLabel(this.say('new_address')));
	}

	/** meets adds somebody and opens the chat with them. */
	async meets(other) {
		await this.button('chat_new').first().click();
		await this.whom().fill(other.address);
		await this.button('new_add').or(this.page.getByRole('listitem').getByRole('button', { name: other.name })).first().click();
		await this.in(other);
	}

	/** in waits until a chat is the one that is open. */
	async in(other) {
		await this.page.getByRole('heading', { name: other.name }).first().waitFor();
		await this.field().waitFor();
	}

	/** answers lets somebody in who asks to be known. */
	async accepts() {
		await this.button('asks_yes').click();
	}

	row(other) {
		const begins = new RegExp(`^${other.name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`); // what was said last may name others
		return this.page.getByRole('region', { name: this.say('chats') }).getByRole('link', { name: begins });
	}

	async opens(other) {
		await this.row(other).click();
		await this.in(other);
	}

	field() {
		return this.page.getByRole('textbox', { name: this.say('write') });
	}

	async writes(text) {
		await this.field().fill(text);
		await this.button('send').click();
	}

	/** message is the bubble that has a text. */
	message(text) {
		return this.page.getByRole('article').filter({ hasText: text });
	}

	async reads(text) {
		await this.message(text).first().waitFor();
	}

	/** seesWhole waits until the last message that has a text stands in view from its top to its end. It is
	 * looked for each time: a row that was scrolled away comes back as another element. */
	async seesWhole(text) {
		const places = (text) => {
			const it = [...document.querySelectorAll('article')].findLast((a) => a.textContent.includes(text));
			return [it, it?.closest('[role=region]')].map((el) => el && (({ top, bottom }) => ({ top, bottom }))(el.getBoundingClientRect()));
		};
		await this.reads(text);
		const by = Date.now() + patience;
		for (let it, view; !view || it.top < view.top - 2 || it.bottom > view.bottom + 2; ) {
			[it, view] = await this.page.evaluate(places, text);
			if (Date.now() > by) throw new Error(`"${text}" is not to be seen whole: ${JSON.stringify({ it, view })}`);
		}
	}

	/** acts opens a message's menu and takes the line with these words. */
	async acts(text, key) {
		const it = this.message(text).last();
		await it.focus();
		await it.press('Enter');
		await this.page.getByRole('menuitem', { name: this.say(key), exact: true }).click();
	}

	/** delivered waits until one's own message has come as far as that. */
	async delivered(text, ...states) {
		const any = states.map((s) => this.say(`delivery_${s}`)).join('|');
		await this.message(text).getByText(new RegExp(`^(${any})$`)).or(this.message(text).getByRole('img', { name: new RegExp(`^(${any})$`) })).first().waitFor();
	}

	/** texts are the bubbles that are there, in their order. */
	async texts(having = '') {
		const all = await this.page.getByRole('article').locator('.text').allInnerTexts();
		return all.map((t) => t.trim()).filter((t) => t.includes(having));
	}
}

/** met has two people sign in, and one write to the other, who lets them in. */
export async function met(alice, bob, text) {
	await Promise.all([alice.signsIn(), bob.signsIn()]);
	await alice.meets(bob);
	await alice.writes(text);
	await bob.opens(alice);
	await bob.accepts();
	await bob.reads(text);
}

export function same(got, want, what) {
	const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
	if (a !== b) throw new Error(`${what}: ${a}, not ${b}`);
}
