// The screen made large: at 200 % on a small laptop and on phones, with the spacing of text
// that WCAG 1.4.12 asks for, with the colours of a high contrast, and without motion.
// Nothing is cut off, covered, beside the screen or out of reach.

import { rest, screens, shown } from '../screens.mjs';
import { desktop } from '../stage.mjs';

// as the page sees them: 1280×800 at 200 %, at 400 %, and a phone of 390 at 200 %
const sizes = [{ width: 640, height: 400 }, { width: 320, height: 400 }, { width: 195, height: 422 }];

export default async function zoom(stage) {
	const all = await screens();
	const alice = await stage.person('alice', { ...desktop, deviceScaleFactor: 2 });
	const bob = await stage.person('bob', { ...desktop, locale: 'ar', theme: 'dark', deviceScaleFactor: 2 });
	for (const p of [alice, bob]) {
		await p.goes();
		await p.page.getByRole('button', { name: p.say('onboarding_way_code') }).waitFor();
		await everySize(p, 'the ways in');
		await p.signsIn();
		await everySize(p, 'no chats');
	}
	await alice.meets(bob);
	await alice.writes('A long word that does not end: ' + 'incomprehensibilities'.repeat(4));
	await bob.opens(alice);
	await bob.accepts();
	await bob.writes('كلمات بالعربية تملأ أكثر من سطر واحد حين يكون الخط كبيرًا.');
	await alice.reads('كلمات بالعربية');
	for (const [p, other] of [[alice, bob], [bob, alice]]) {
		await everySize(p, 'a conversation');
		for (const panel of all.panels) {
			await p.place(`chat/${other.address}/panel/${panel}`);
			await shown(p, 'panel');
			await everySize(p, `panel ${panel}`);
		}
		for (const page of all.pages) {
			await p.place(`page/${page}`);
			await shown(p, 'page');
			await everySize(p, `page ${page}`);
		}
		await p.place('');
		await p.row(other).waitFor();
		await everySize(p, 'the chats');
		await p.opens(other);
		await menus(p);
		await contrast(p);
	}
	await still(alice);
}

async function everySize(p, what) {
	for (const size of sizes) {
		await p.page.setViewportSize(size);
		await fits(p, `${what}, ${size.width}×${size.height}`);
		await spaced(p, true);
		await fits(p, `${what}, ${size.width}×${size.height}, spaced`);
		await spaced(p, false);
	}
	await p.page.setViewportSize(desktop.viewport);
}

async function menus(p) {
	await p.page.setViewportSize(sizes[1]);
	await p.button('chat_menu').click();
	await fits(p, 'the menu of a chat', '[popover]:popover-open');
	await p.page.keyboard.press('Escape');
	const it = p.page.getByRole('article').last();
	await it.focus();
	await it.press('Enter');
	await p.page.getByRole('menuitem').first().waitFor();
	await fits(p, 'the menu of a message', '[popover]:popover-open');
	await p.page.getByRole('menuitem', { name: p.say('delete'), exact: true }).click();
	await p.page.getByRole('dialog').waitFor();
	await fits(p, 'a question', 'dialog[open]');
	await p.page.keyboard.press('Escape');
	await p.page.getByRole('dialog').waitFor({ state: 'detached' });
	await p.page.setViewportSize(desktop.viewport);
}

const spaced = (p, on) =>
	p.page.evaluate((on) => {
		const sheet = (globalThis.spacing ??= new CSSStyleSheet());
		sheet.replaceSync(on ? '* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } p { margin-block-end: 2em !important }' : '');
		if (!document.adoptedStyleSheets.includes(sheet)) document.adoptedStyleSheets.push(sheet);
	}, on);

async function fits(p, what, within = 'body') {
	await rest(p);
	await p.page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))); // bars that scroll come and go by a frame
	const wrong = await p.page.evaluate(unreachable, within);
	for (const w of wrong) p.stage.complaints.push(`${what}, ${p.locale}: ${w}`);
}

/** unreachable runs in the page: what is beside the screen, covered, or cut off. */
function unreachable(within) {
	const found = [];
	const root = document.querySelector(within);
	const says = (e) => `<${e.tagName.toLowerCase()} class="${e.className.baseVal ?? e.className}"> “${(e.getAttribute('aria-label') || e.textContent || '').trim().slice(0, 40)}”`;
	const clips = (s) => /auto|scroll/.test(s);
	if (document.scrollingElement.scrollWidth > innerWidth) found.push('the page scrolls sideways');
	for (const e of root.querySelectorAll('*')) {
		if (!e.checkVisibility({ visibilityProperty: true }) || e.closest('.unseen, [popover]:not(:popover-open), svg')) continue;
		const s = getComputedStyle(e);
		if (clips(s.overflowX) && e.scrollWidth > e.clientWidth + 1 && e.matches(':not(pre, input, textarea)')) found.push(`scrolls sideways by ${e.scrollWidth - e.clientWidth}: ${says(e)}`);
		const words = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
		if (words && s.overflow.includes('hidden') && s.textOverflow !== 'ellipsis' && s.webkitLineClamp === 'none' && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 3)) found.push(`text is cut off: ${says(e)}`);
	}
	const controls = 'button, a[href], input:not([type=hidden]), textarea, select, [role=menuitem], [role=switch]';
	for (const e of root.querySelectorAll(controls)) {
		if (!e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || e.closest('.unseen, [popover]:not(:popover-open), [inert]') || e.disabled) continue;
		e.scrollIntoView({ block: 'nearest', inline: 'nearest' });
		const box = e.getBoundingClientRect();
		if (box.width === 0 || box.height === 0) continue;
		if (box.left < -1 || box.right > innerWidth + 1) found.push(`beside the screen (${Math.round(box.left)}…${Math.round(box.right)} of ${innerWidth}): ${says(e)}`);
		if (box.top < -1 || (box.bottom > innerHeight + 1 && box.height < innerHeight)) found.push(`above or below the screen (${Math.round(box.top)}…${Math.round(box.bottom)} of ${innerHeight}): ${says(e)}`);
		const spots = [[0.5, 0.5], [0.25, 0.5], [0.75, 0.5], [0.5, 0.25], [0.5, 0.75]].map(([x, y]) => document.elementFromPoint(box.left + box.width * x, box.top + box.height * y));
		// a list that is being scrolled takes no clicks for a moment: then its own scroller is hit
		const mine = (hit) => hit && (e.contains(hit) || hit.contains(e) && (e.matches('input') || hit.matches('.scroller')) || hit.closest('label')?.contains(e) || [...(e.labels ?? [])].some((l) => l.contains(hit)));
		if (!spots.some(mine)) found.push(`is covered by ${spots[0] ? says(spots[0]) : 'nothing'}: ${says(e)}`);
	}
	return found;
}

// With colours of the person's own, what is chosen, on, or focused is still told apart.
async function contrast(p) {
	await p.page.emulateMedia({ forcedColors: 'active' });
	await p.place('page/settings');
	await shown(p, 'page');
	const alike = await p.page.evaluate(() => {
		const look = (e) => getComputedStyle(e).borderWidth; // the colours that a page computes are not those that are drawn
		const labels = [...document.querySelectorAll('fieldset.brief label')];
		const [on, off] = [labels.filter((l) => l.querySelector(':checked')), labels.filter((l) => !l.querySelector(':checked'))];
		const wrong = !on.length || on.some((a) => off.some((b) => look(a) === look(b))) ? ['what is chosen looks as what is not'] : [];
		for (const e of document.querySelectorAll('input[role=switch]')) {
			const knob = getComputedStyle(e, '::before').backgroundColor;
			if (knob === getComputedStyle(e).backgroundColor) wrong.push('the knob of a switch is not seen');
		}
		return wrong;
	});
	for (const w of alike) p.stage.complaints.push(`with forced colours, ${p.locale}: ${w}`);
	await p.page.screenshot({ path: `${p.stage.how.pictures}/forced-${p.locale}.png` });
	await p.page.emulateMedia({ forcedColors: 'none' });
}

// Nothing moves for who does not want that: the stage's people are such.
async function still(p) {
	await p.button('chat_menu').click().catch(() => {});
	const moving = await p.page.evaluate(() => document.getAnimations().filter((a) => a.playState === 'running' && (a.effect?.getComputedTiming().duration ?? 0) > 1).map((a) => a.animationName ?? a.transitionProperty));
	for (const name of moving) p.stage.complaints.push(`moves in spite of reduced motion: ${name}`);
}
