// Person is somebody before a page with converse.js: does what people do, with
// mouse and keyboard, and sees what the page shows. Everything waits for what it
// needs; nothing waits for a time.

import fs from 'node:fs/promises';
import path from 'node:path';
import { withFiles } from './files.mjs';
import { inRooms } from './room.mjs';

// in milliseconds; over BOSH a page may try again after 8 and then 27 seconds only
const patience = 60_000;
const most = 60; // lines of the console that are kept
const mostFrames = 300;

export class Person {
	static async open(who, context, origin, folder, settings) {
		const p = new Person();
		Object.assign(p, { who, folder, frames: [], console: [], exceptions: [], mechanisms: [], streams: [] });
		context.setDefaultTimeout(patience);
		// pages get nothing from elsewhere: converse.js shows its sponsors' logos
		const foreign = (url) => !settings.hosts.includes(url.hostname);
		await context.route(foreign, (route) => route.fulfill({ status: 204 }));
		await context.addInitScript((s) => { window.settings = s; }, settings.converse);
		p.page = await context.newPage();
		p.watch();
		await p.page.goto(origin);
		await p.page.locator('#converse-login input[name=jid]').waitFor();
		return p;
	}

	// watch keeps what the person does not see: the console, and how the page logs in.
	watch() {
		this.page.on('console', (m) => this.note(m.type(), m.text()));
		this.page.on('pageerror', (e) => this.note('exception', e.message));
		this.page.on('websocket', (ws) => {
			this.streams.push(ws.url());
			ws.on('framesent', (frame) => this.sent(String(frame.payload)));
			ws.on('framereceived', (frame) => this.keep('<', String(frame.payload)));
		});
		this.page.on('request', (request) => {
			const body = request.method() === 'POST' ? request.postData() ?? '' : '';
			if (!body.startsWith('<body')) return;
			if (!/ sid=/.test(body)) this.streams.push(request.url());
			this.sent(body);
		});
	}

	note(kind, text) {
		this.console.push(`${kind}: ${text}`.slice(0, 400));
		this.console.splice(0, this.console.length - most);
		if (kind === 'exception') this.exceptions.push(text);
	}

	keep(way, text) {
		this.frames.push(`${new Date().toISOString()} ${way} ${text}`);
		this.frames.splice(0, this.frames.length - mostFrames);
	}

	sent(text) {
		this.keep('>', text);
		const found = /<auth[^>]* mechanism=["']([^"']+)/.exec(text);
		if (found) this.mechanisms.push(found[1]);
	}

	// fails leaves a picture, and what went over the wire, of something that did not work.
	async fails({ id }) {
		const name = `failed-${id}`;
		await this.shoot({ name }).catch(() => {});
		await fs.writeFile(this.file(`${name}.txt`), this.frames.join('\n')).catch(() => {});
		return `${this.lately()}\npicture: ${this.file(name)}.png`;
	}

	file(name) {
		return path.join(this.folder, `${this.who}-${name}`);
	}

	lately() {
		return `the console of ${this.who}:\n  ${this.console.join('\n  ')}`;
	}

	async shoot({ name }) {
		await this.page.screenshot({ path: this.file(`${name}.png`) });
	}

	// logIn fills in the form and waits for the list of contacts.
	async logIn({ account, password }) {
		const form = this.page.locator('#converse-login');
		this.nick = account.split('@')[0];
		await form.locator('input[name=jid]').fill(account);
		await form.locator('input[name=password]').fill(password);
		await form.locator('button[type=submit]').click();
		await this.back({ logins: 1 });
		await this.page.locator('#converse-roster').waitFor();
	}

	// back waits until the page has logged in so many times, is connected and gets
	// copies. COMPAT: it asks for the past before it asks for copies, and misses what
	// its other devices say between the two. It tells how often it resumed a session,
	// by which mechanisms it logged in and where its streams went.
	async back({ logins }) {
		await this.page.waitForFunction((n) => window.seen?.logins >= n && seen.copies >= n && seen.connected(), logins);
		const { resumed } = await this.page.evaluate(() => seen);
		return { resumed, mechanisms: this.mechanisms, streams: this.streams };
	}

	// add asks somebody to become a contact.
	async add({ account }) {
		await this.page.locator('#converse-roster .controlbox-section-toggle, #converse-roster .controlbox-heading').first().waitFor();
		await this.page.locator('#converse-roster converse-dropdown button').first().click();
		await this.page.locator('#converse-roster .dropdown-item.add-contact').click();
		const form = this.page.locator('form.add-xmpp-contact');
		await form.locator('input[name=jid]').fill(account);
		await form.locator('button[type=submit]').click();
		await form.waitFor({ state: 'detached' });
	}

	// contact waits until a contact is shown as online, or as what is asked for.
	async contact({ account, show = 'online' }) {
		await this.item(account).locator(`.contact-name--${show}`).waitFor();
		await this.item(account).locator('.chat-status').waitFor();
	}

	item(account) {
		return this.page.locator(`#converse-roster a.open-chat[data-jid="${account}"]`);
	}

	// turnTo opens the chat with a contact.
	async turnTo({ account }) {
		await this.item(account).click();
		await this.page.locator('textarea.chat-textarea').waitFor();
	}

	// keys waits until the page has made its keys and published them: who opens a
	// chat before is not offered to encrypt.
	async keys() {
		await this.page.waitForFunction(() => window.seen?.keys);
	}

	async encrypt() {
		await this.page.locator('.toggle-omemo[data-disabled=false]').click();
		await this.page.locator('.toggle-omemo .fa-lock').waitFor();
	}

	// refused waits until the last message is shown as not sent, and why.
	async refused({ saying }) {
		await this.page.locator('.chat-msg').last().locator('.chat-msg__error', { hasText: saying }).waitFor();
	}

	async write({ text }) {
		await this.page.locator('textarea.chat-textarea').fill(text);
		await this.page.locator('textarea.chat-textarea').press('Enter');
	}

	// reads waits until the open chat ends with these messages, and no others
	// between or after them.
	async reads({ texts }) {
		const shown = (want) => {
			const all = [...document.querySelectorAll('.chat-content .chat-msg__text')].map((e) => e.innerText.trim());
			return JSON.stringify(all) === JSON.stringify(want);
		};
		try {
			await this.page.waitForFunction(shown, texts);
		} catch (e) {
			throw new Error(`${this.who} reads ${JSON.stringify(await this.texts())}, not ${JSON.stringify(texts)} (${e.name})`);
		}
	}

	// hears waits until the open chat has this among what was said.
	async hears({ text }) {
		await this.page.locator('.chat-content .chat-msg__text', { hasText: text }).waitFor();
	}

	texts() {
		return this.page.locator('.chat-content .chat-msg__text').allInnerTexts();
	}

	// broken are the exceptions that nothing in the page has caught: a sign that the
	// server said what converse.js does not expect.
	broken() {
		return this.exceptions;
	}
}

Object.assign(Person.prototype, inRooms, withFiles);
