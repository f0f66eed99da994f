// A person who has a keyboard alone. Each stop of the tab key is looked at: whether it has
// a name, is seen, and shows that it has the focus.

export class Keys {
	constructor(person) {
		this.person = person;
		this.page = person.page;
		this.stops = [];
	}

	async press(...keys) {
		for (const key of keys) await this.page.keyboard.press(key);
	}

	/** type writes as on a keyboard, into what has the focus. */
	async type(text) {
		await this.here('to write');
		await this.page.keyboard.type(text);
	}

	/** to presses Tab (or back: Shift+Tab) until the element has the focus. */
	async to(what, { back = false, most = 40 } = {}) {
		const it = what.first();
		const passed = [];
		for (let i = 0; i < most; i++) {
			const stop = await this.#at(it);
			if (stop.there) return this.#sound(stop);
			await this.press(back ? 'Shift+Tab' : 'Tab');
			const now = await this.page.evaluate(stopHere);
			if (now.name !== '(page)') this.#sound(now);
			passed.push(now.name);
		}
		throw new Error(`${this.person.name}: the tab key does not come to ${what}, but to: ${passed.join(' | ')}`);
	}

	/** down presses an arrow until the line of a menu or list has the focus. */
	async down(what, key = 'ArrowDown', most = 20) {
		const it = what.first();
		await it.waitFor();
		if (await it.evaluate((el) => el.role === 'menuitem')) await this.on(this.page.getByRole('menuitem').first(), 'a menu');
		for (let i = 0; i < most; i++) {
			if ((await this.#at(it)).there) return;
			await this.press(key);
		}
		throw new Error(`${this.person.name}: ${key} does not lead to ${what}`);
	}

	/** on waits until the focus is on an element by itself. */
	async on(what, why) {
		const it = what.first();
		await it.waitFor();
		const handle = await it.elementHandle();
		await this.page.waitForFunction((el) => el === document.activeElement || (el.contains(document.activeElement) && !['A', 'BUTTON'].includes(el.tagName)), handle).catch(async () => {
			throw new Error(`${this.person.name}: ${why}: the focus is on ${JSON.stringify(await this.page.evaluate(stopHere))}, not on ${what}`);
		});
	}

	/** here fails where the focus is lost. */
	async here(why) {
		const lost = await this.page.waitForFunction(() => document.activeElement && document.activeElement !== document.body && document.activeElement.checkVisibility(), null, { timeout: 10_000 }).then(() => false, () => true);
		if (lost) throw new Error(`${this.person.name}: ${why}: the focus is lost`);
	}

	async #at(it) {
		const there = (await it.count()) > 0 && (await it.evaluate((el) => el === document.activeElement, null, { timeout: 5000 }).catch(() => false));
		return { ...(await this.page.evaluate(stopHere)), there };
	}

	#sound(stop) {
		const complain = (text) => {
			const line = `${this.person.name} (${this.person.locale}): by keyboard, ${stop.what}: ${text}`;
			if (!this.person.stage.complaints.includes(line)) this.person.stage.complaints.push(line);
		};
		if (!stop.name) complain('it has no name');
		if (!stop.ring) complain('one does not see that it has the focus');
		if (!stop.inView) complain('it is not in view');
	}
}

/** stopHere runs in the page: what has the focus, and whether that is seen. */
function stopHere() {
	const el = document.activeElement;
	if (!el || el === document.body) return { name: '(page)', ring: true, inView: true, what: 'the page' };
	const ringed = (e) => {
		const s = getComputedStyle(e);
		return (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1) || (s.boxShadow !== 'none' && / 0px 0px 0px [1-9]/.test(s.boxShadow));
	};
	// a field in a frame, or a choice that is drawn by its label, is shown by that
	const title = /^H[1-6]$/.test(el.tagName) && el.tabIndex < 0;
	const ring = title || ringed(el) || (el.matches('textarea, input') && Boolean(el.closest('label, .field') && ringed(el.closest('label, .field'))));
	const box = el.getBoundingClientRect();
	const inView = box.width > 0 && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
	const labelled = el.getAttribute('aria-labelledby')?.split(' ').map((id) => document.getElementById(id)?.textContent).join(' ');
	const name = (el.getAttribute('aria-label') || labelled || [...(el.labels ?? [])].map((l) => l.textContent).join(' ') || el.textContent || el.getAttribute('placeholder') || '').trim();
	return { name: name.slice(0, 60), ring, inView, what: `${el.tagName.toLowerCase()} “${name.slice(0, 40)}”` };
}

const controls = new Set(['button', 'link', 'textbox', 'searchbox', 'checkbox', 'radio', 'switch', 'slider', 'menuitem', 'combobox', 'tab', 'progressbar', 'dialog', 'region', 'menu', 'img', 'article']);

/** tree reads the accessibility tree as a screen reader has it: what can be used has a name, and what is a list holds its items. */
export async function tree(person, what) {
	const tools = await person.context.newCDPSession(person.page);
	const { nodes } = await tools.send('Accessibility.getFullAXTree');
	await tools.detach();
	const complain = (text) => person.stage.complaints.push(`${what}, ${person.locale}: ${text}`);
	const of = new Map(nodes.map((n) => [n.nodeId, n]));
	const seen = nodes.filter((n) => !n.ignored);
	const inside = (n) => (n.childIds ?? []).map((id) => of.get(id)).filter(Boolean).flatMap((c) => (c.ignored || c.role?.value === 'generic' || c.role?.value === 'none' ? inside(c) : [c]));
	for (const n of seen) {
		const role = n.role?.value;
		if (controls.has(role) && !n.name?.value?.trim()) complain(`a ${role} without a name: ${JSON.stringify(n.properties?.map((p) => `${p.name}=${p.value?.value}`))}`);
		if (role === 'list' && inside(n).some((c) => c.role?.value !== 'listitem')) complain(`a list holds what is no item of it: ${inside(n).map((c) => c.role?.value)}`);
	}
	return seen;
}

/** hears has a page remember what its announcer and its alerts say. It is told once before the page is opened. */
export async function hears(person) {
	await person.context.addInitScript(() => {
		globalThis.heard = [];
		const live = '[role=status], [role=alert], [aria-live=polite], [aria-live=assertive]';
		new MutationObserver((changes) => {
			for (const c of changes) {
				const region = (c.target.nodeType === 1 ? c.target : c.target.parentElement)?.closest(live);
				const added = [...c.addedNodes].filter((n) => n.textContent?.trim());
				if (region && c.type === 'characterData') globalThis.heard.push(c.target.textContent.trim());
				for (const n of added) {
					if (region) globalThis.heard.push(n.textContent.trim());
					else if (n.nodeType === 1) for (const r of [n, ...n.querySelectorAll(live)].filter((x) => x.matches(live))) if (r.textContent.trim()) globalThis.heard.push(r.textContent.trim());
				}
			}
		}).observe(document, { childList: true, characterData: true, subtree: true });
	});
}

export const heard = (person) => person.page.evaluate(() => globalThis.heard);
