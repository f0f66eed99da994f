// Three people, an invitation's link, a group: made, joined, added to, removed from, left;
// against a server that runs; screenshots go to try/shots.
//
//	mirsal invite --uses 3 …
//	node try/groups.mjs http://127.0.0.1:4173 TOKEN

import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [at, token] = process.argv.slice(2);
const shots = process.env.SHOTS ?? new URL('shots/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const pages = [];
const shot = (page, name) => page.screenshot({ path: `${shots}/${name}.png` });
const desktop = { viewport: { width: 1280, height: 800 }, colorScheme: 'light', permissions: ['clipboard-read', 'clipboard-write'] };
const phone = { viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true };

async function person(name, options, locale) {
	const context = await browser.newContext(options);
	await context.addInitScript((locale) => localStorage.getItem('mirsal screen') || localStorage.setItem('mirsal screen', JSON.stringify({ locale })), locale);
	const page = await context.newPage();
	page.setDefaultTimeout(30_000);
	pages.push([name, page]);
	page.on('console', (m) => ['error', 'warning'].includes(m.type()) && console.log(name, m.type(), m.text().slice(0, 300)));
	page.on('pageerror', (e) => console.log(name, 'error', e.stack ?? e));
	await page.goto(`${at}/#invite=${token}`);
	await page.locator('form input:not([type=file])').first().fill(name);
	await page.waitForTimeout(900);
	await page.locator('form button[type=submit]').click();
	return page;
}
async function settled(page) {
	await page.locator('.panes').waitFor({ timeout: 90_000 });
	await page.waitForTimeout(1500);
	for (const later of [/not now|later|skip/i, /لاحق|ليس الآن/]) {
		const b = page.getByRole('button', { name: later }).first();
		if (await b.isVisible().catch(() => false)) await b.click();
	}
}
const menu = async (page, label, item) => {
	await page.getByRole('button', { name: label, exact: true }).first().click();
	await page.getByRole('menuitem', { name: item }).click();
};
const write = async (page, text) => {
	await page.locator('textarea').fill(text);
	await page.getByRole('button', { name: /^(Send|إرسال)$/ }).click();
};
const reads = (page, text) => page.locator('.message').getByText(text).first().waitFor();

try {
	const a = await person('Amal', desktop, 'en');
	const b = await person('Badr', desktop, 'en');
	const c = await person('سارة', phone, 'ar');
	for (const p of [a, b, c]) await settled(p);
	await shot(a, '00-first');

	// a link that invites, used by two ways: pasted, and the address
	await menu(a, 'Menu', 'Invite somebody');
	await a.getByRole('button', { name: 'Make a link' }).click();
	await a.getByRole('button', { name: 'Copy link' }).click();
	await shot(a, '01-invite');
	const link = await a.locator('.link').innerText();
	console.log('link', link.replace(/\w{20,}/, 'TOKEN'));
	await b.getByRole('button', { name: 'Menu' }).first().click();
	await b.getByRole('menuitem', { name: 'People' }).click();
	await b.getByRole('button', { name: /^Add somebody/ }).click();
	await b.getByLabel('Their link or address').fill(link.replace(/^https?:\/\/[^/]+/, at));
	await shot(b, '02-add');
	await b.getByRole('button', { name: 'Add and write' }).click();
	await b.locator('textarea').waitFor();
	await write(b, 'Hello Amal, here I am');
	await a.getByRole('button', { name: 'Back' }).first().click();
	await a.getByRole('link', { name: /Badr|badr/ }).first().waitFor();
	console.log('in touch by the link');

	// by an address: asks, and is accepted
	await c.getByRole('button', { name: 'القائمة' }).first().click();
	await shot(c, '03-menu-ar');
	await c.getByRole('menuitem', { name: 'الأشخاص' }).click();
	await shot(c, '03-people-empty-ar');
	await c.getByRole('button', { name: /^إضافة شخص/ }).click();
	await c.getByLabel('رابطه أو عنوانه').fill('amal@localhost');
	await shot(c, '04-add-ar');
	await c.getByRole('button', { name: 'إضافة ومراسلة' }).click();
	await a.locator('.side button', { hasText: 'would like to keep in touch' }).waitFor();
	await shot(a, '05-asks');
	await a.locator('.side button', { hasText: 'would like to keep in touch' }).click();
	await a.getByRole('button', { name: /^Accept/ }).waitFor();
	await shot(a, '06-people');
	await a.getByRole('button', { name: /^Accept/ }).click();
	await a.waitForTimeout(1500);
	await shot(a, '07-people');
	await a.getByRole('button', { name: 'Back' }).first().click();

	// a group with a picture
	await menu(a, 'Menu', 'New group');
	await a.locator('input[type=file]').first().setInputFiles('/nowhere').catch(async () => {
		const png = await a.evaluate(async () => {
			const k = Object.assign(document.createElement('canvas'), { width: 900, height: 600 });
			const g = k.getContext('2d');
			g.fillStyle = '#c9743a';
			g.fillRect(0, 0, 900, 600);
			g.fillStyle = '#2d5f73';
			g.beginPath();
			g.arc(450, 300, 200, 0, 7);
			g.fill();
			return k.toDataURL('image/png').split(',')[1];
		});
		await a.locator('input[type=file]').first().setInputFiles({ name: 'p.png', mimeType: 'image/png', buffer: Buffer.from(png, 'base64') });
	});
	await a.getByLabel('Name of the group').fill('Library plan');
	await a.locator('label', { hasText: 'Badr' }).click();
	await a.waitForTimeout(500);
	await shot(a, '08-new-group');
	await a.getByRole('button', { name: /^Create group/ }).click();
	await a.locator('textarea').waitFor();
	await a.waitForTimeout(1500);
	await write(a, 'Welcome to our group');
	await shot(a, '09-group');

	// Badr is asked and joins
	await b.getByRole('link', { name: /Library plan/ }).click();
	await b.getByRole('button', { name: 'Join' }).waitFor();
	await shot(b, '10-invited');
	await b.getByRole('button', { name: 'Join' }).click();
	await b.locator('textarea').waitFor();
	await b.waitForTimeout(2000);
	await write(a, 'first words for Badr');
	await reads(b, 'first words for Badr');
	await write(b, 'I can read you');
	await reads(a, 'I can read you');
	console.log('group of two speaks');

	// the details; Sara is added later
	await a.getByRole('button', { name: 'Library plan' }).first().click();
	await a.getByText('2 members').waitFor();
	await shot(a, '11-details');
	await a.getByRole('button', { name: 'Name and description' }).click();
	await a.getByRole('textbox', { name: 'Description' }).fill('What we do on Saturdays.\nBring the keys.');
	await shot(a, '12-describe');
	await a.getByLabel('Name of the group').fill('Library plans');
	await a.getByRole('button', { name: 'Save' }).click();
	await a.getByRole('button', { name: 'Add people' }).click();
	await a.locator('label', { hasText: /سارة/ }).click();
	await shot(a, '13-add-people');
	await a.getByRole('button', { name: 'Add to group' }).click();
	await a.getByText('3 members').waitFor();
	await a.waitForTimeout(1500);
	await shot(a, '14-details-3');
	await c.getByRole('button', { name: 'رجوع' }).first().click();
	await c.getByRole('button', { name: 'رجوع' }).first().click();
	await c.getByRole('link', { name: /Library/ }).click();
	await c.getByRole('button', { name: 'انضمام' }).waitFor();
	await shot(c, '15-invited-ar');
	await c.getByRole('button', { name: 'انضمام' }).click();
	await c.locator('textarea').waitFor();
	await c.waitForTimeout(2500);
	await write(a, 'welcome Sara');
	await reads(c, 'welcome Sara');
	await reads(b, 'welcome Sara');
	if (await c.locator('.message').getByText('first words for Badr').count()) console.log('SARA READS WHAT WAS BEFORE HER');
	await write(c, 'شكرًا لكم');
	await reads(b, 'شكرًا لكم');
	console.log('group of three speaks');
	await shot(c, '16-group-ar');
	await c.getByRole('button', { name: 'Library plans' }).first().click();
	await c.getByText('3 أعضاء').or(c.getByText('٣ أعضاء')).waitFor();
	await shot(c, '17-details-ar');
	await c.goBack();

	// a mention
	await b.locator('textarea').pressSequentially('@am');
	await b.getByRole('option').first().waitFor();
	await shot(b, '18-mention');
	await b.locator('textarea').press('Enter');
	console.log('mention:', JSON.stringify(await b.locator('textarea').inputValue()));
	await b.locator('textarea').press('Enter');

	// Badr is made an admin, Sara is removed
	const member = (page, name) => page.locator('aside li', { hasText: name });
	await member(a, 'Badr').getByRole('button').click();
	await shot(a, '19-member-menu');
	await a.getByRole('menuitem', { name: 'Make admin' }).click();
	await member(a, 'Badr').getByText('Admin', { exact: true }).first().waitFor();
	console.log('Badr is an admin');
	await b.getByRole('button', { name: 'Library plans' }).first().click();
	await b.getByText('3 members').waitFor();
	await member(b, 'سارة').getByRole('button').click();
	await b.getByRole('menuitem', { name: 'Remove from group' }).click();
	await b.waitForTimeout(300);
	await shot(b, '20-remove');
	await b.getByRole('dialog').getByRole('button', { name: 'Remove from group' }).click();
	await b.getByText('2 members').waitFor();
	await c.getByRole('button', { name: 'حذف هذه المحادثة' }).waitFor();
	await shot(c, '21-removed-ar');
	await write(a, 'Sara must not read this');
	await reads(b, 'Sara must not read this');
	await c.waitForTimeout(2500);
	console.log('Sara reads on:', await c.getByText('Sara must not read this').count());

	// the contact's panel
	await a.goto(`${at}/#/chat/badr@localhost`);
	await a.getByRole('button', { name: 'Badr' }).first().click();
	await a.getByText('Groups you share').waitFor();
	await a.waitForTimeout(800);
	await shot(a, '22-contact');
	await a.getByRole('button', { name: 'Name for them' }).click();
	await a.getByLabel('What you call them').fill('Badr the neighbour');
	await a.getByRole('button', { name: 'Save' }).click();
	await a.locator('aside h3', { hasText: 'neighbour' }).waitFor();
	console.log('renamed');

	// the owner leaves: the admin leads
	await a.getByRole('link', { name: /Library plans/ }).click();
	await a.getByRole('button', { name: 'Library plans' }).first().click();
	await a.getByText('2 members').waitFor();
	await a.getByRole('button', { name: 'Leave group' }).click();
	await a.waitForTimeout(300);
	await shot(a, '23-leave');
	await a.getByRole('dialog').getByRole('button', { name: 'Leave group' }).click();
	await a.getByRole('link', { name: /Library plans/ }).waitFor({ state: 'detached' });
	await b.getByText('1 member', { exact: true }).waitFor();
	await b.waitForTimeout(1000);
	await shot(b, '24-left');
	console.log('Badr is', await member(b, 'You').innerText());
	await b.getByRole('button', { name: 'Delete group' }).click();
	await b.getByRole('dialog').getByRole('button', { name: 'Delete group' }).click();
	await b.getByRole('link', { name: /Library plans/ }).waitFor({ state: 'detached' });
	console.log('done');
} catch (e) {
	for (const [name, page] of pages) await shot(page, `failed-${name}`);
	throw e;
} finally {
	await browser.close();
}
