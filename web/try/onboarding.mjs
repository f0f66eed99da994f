// Somebody comes in by an invitation, invites another one, and links a second device, in browsers
// against a server that runs; screenshots go to try/shots.
//
//	node try/onboarding.mjs http://127.0.0.1:4173 TOKEN 'mirsal invite --data DIR' [only]
import { execSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [at, token, invite] = process.argv.slice(2);
const shots = new URL('shots/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const desktop = { viewport: { width: 1280, height: 800 }, colorScheme: 'light' };
const phone = { viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true, isMobile: true };
const pages = [];
async function person(name, options, locale, hash = '') {
	const context = await browser.newContext({ ...options, permissions: ['clipboard-read', 'clipboard-write'] });
	await context.addInitScript((l) => localStorage.getItem('mirsal screen') || localStorage.setItem('mirsal screen', JSON.stringify({ locale: l })), locale);
	const page = await context.newPage();
	pages.push([name, page]);
	page.on('console', (m) => ['error', 'warning'].includes(m.type()) && console.log(name, m.type(), m.text()));
	page.on('pageerror', (e) => console.log(name, 'error', e.stack ?? e));
	await page.goto(`${at}/${hash}`);
	return page;
}
const shot = (page, name) => page.screenshot({ path: `${shots}${name}.png` });
try {
	const began = Date.now();
	const a = await person('sara', desktop, 'en', `#invite=${token}`);
	await a.getByLabel('Your name').waitFor();
	console.log('form after', Date.now() - began, 'ms; address', new URL(a.url()).hash);
	await shot(a, 'o1-invited');
	await a.getByLabel('Your name').fill('Sara Ali');
	await a.getByText('sara.ali').waitFor();
	await shot(a, 'o2-named');
	await a.getByRole('button', { name: 'Start chatting' }).click();
	await a.waitForTimeout(300);
	await shot(a, 'o3-entering');
	await a.getByRole('heading', { name: 'Chats' }).waitFor({ timeout: 60_000 });
	console.log('in after', Date.now() - began, 'ms');
	await a.waitForTimeout(1000);
	await shot(a, 'o4-in');
	const link = execSync(`${invite} --for sara.ali --json`).toString();
	const next = /invite\/([A-Z0-9]+)/.exec(link)[1];
	const b = await person('bob', phone, 'ar', `#invite=${next}`);
	await b.getByLabel('اسمك').waitFor();
	await shot(b, 'o5-invited-ar');
	await b.locator('input[type=file]').setInputFiles(process.env.FACE ? process.env.FACE : []);
	await b.getByLabel('اسمك').fill('سارة علي');
	await b.waitForTimeout(1500);
	await b.getByRole('button', { name: 'اختيار اسم مختصر آخر' }).click();
	await b.getByLabel('الاسم المختصر').fill('Sara Ali');
	await b.waitForTimeout(1800);
	await shot(b, 'o6-taken-ar');
	await b.getByLabel('الاسم المختصر').fill('bob');
	await b.waitForTimeout(1000);
	await b.getByRole('button', { name: 'ابدأ المحادثة' }).click();
	await b.locator('textarea').waitFor({ timeout: 60_000 });
	await b.waitForTimeout(1500);
	await shot(b, 'o7-in-ar');
	await b.locator('textarea').fill('مرحبًا يا سارة');
	await b.getByRole('button', { name: 'إرسال' }).click();
	await a.getByText('مرحبًا يا سارة').first().waitFor({ timeout: 20_000 });
	await shot(a, 'o8-first-message');
	// a second device of hers, on a phone
	const c = await person('carol', phone, 'ar', `#invite=${next}`);
	await c.getByRole('heading', { name: 'لم تعد هذه الدعوة صالحة' }).waitFor();
	await shot(c, 'o9-gone-ar');
	await c.getByRole('button', { name: 'طرق أخرى للدخول' }).click();
	await c.getByRole('heading', { name: 'أهلًا بك' }).waitFor();
	await shot(c, 'o10-start-ar');
	await c.getByRole('button', { name: 'لديّ رمز استعادة' }).click();
	await shot(c, 'o11-code-ar');
	await c.getByRole('button', { name: 'رجوع' }).click();
	await c.getByRole('button', { name: 'استخدام جهاز آخر لي' }).click();
	await shot(c, 'o12-join-ar');
	await a.getByRole('button', { name: 'Menu', exact: true }).click();
	await a.getByRole('menuitem', { name: 'Linked devices' }).click();
	await a.getByRole('button', { name: 'Link a new device' }).click();
	const copy = a.getByRole('button', { name: 'Copy as text' });
	await copy.waitFor();
	await copy.click();
	const code = await a.evaluate(() => navigator.clipboard.readText());
	await c.getByRole('textbox').fill(code);
	await c.getByRole('button', { name: 'متابعة' }).click();
	await shot(c, 'o13-join-as-ar');
	await c.getByRole('button', { name: 'نعم، هذا حسابي' }).click();
	await c.locator('.digits').waitFor();
	await shot(c, 'o14-digits-ar');
	const digits = await c.locator('.digits').innerText();
	await a.getByLabel('The six digits on the new device').fill(digits);
	await a.getByRole('button', { name: 'Let it in', exact: true }).click();
	await c.getByText('مرحبًا يا سارة').first().waitFor({ timeout: 40_000 });
	await shot(c, 'o15-linked-ar');
	console.log('linked');
	// the way back
	await a.goto(`${at}/#/page/wayback`);
	await a.getByRole('heading', { name: 'Keep a way back' }).waitFor();
	await a.waitForTimeout(800);
	await shot(a, 'o16-wayback');
	const cdp = await a.context().newCDPSession(a);
	await cdp.send('WebAuthn.enable');
	await cdp.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
	await a.getByRole('button', { name: 'Add a passkey' }).click();
	await a.getByText('Your passkeys').waitFor({ timeout: 10_000 });
	await shot(a, 'o17-passkey');
	await a.getByRole('button', { name: 'Recovery code' }).click();
	await shot(a, 'o18-code-ask');
	await a.getByRole('button', { name: 'Make a code' }).click();
	await a.getByRole('button', { name: 'Print' }).waitFor();
	const printed = await a.locator('.sheet .big').innerText();
	await shot(a, 'o19-code');
	await a.emulateMedia({ media: 'print' });
	await shot(a, 'o20-print');
	await a.emulateMedia({ media: null });
	await c.waitForTimeout(1500);
	await shot(c, 'o21-told-ar');
	console.log('code', printed.replace(/\s+/g, '-').length, 'others online', await c.getByRole('listitem').count());
	// out and in again, by passkey
	await a.goto(`${at}/#/page/settings`);
	await a.getByRole('button', { name: 'Sign out on this device' }).click();
	await a.getByRole('dialog').getByRole('button', { name: /sign out/i }).last().click();
	await a.getByRole('heading', { name: 'Welcome' }).waitFor({ timeout: 20_000 });
	await a.getByRole('button', { name: 'Use a passkey' }).click();
	await a.getByRole('heading', { name: 'Chats' }).waitFor({ timeout: 30_000 });
	await a.waitForTimeout(1500);
	await shot(a, 'o22-by-passkey');
	// by the code, on a new computer
	const d = await person('dora', desktop, 'en');
	await d.getByRole('button', { name: 'I have a recovery code' }).click();
	await d.getByLabel('Address').fill('sara.ali');
	await d.getByLabel('Recovery code or password').fill(printed.replace(/\s+/g, '-').toLowerCase());
	await d.getByRole('button', { name: 'Sign in' }).click();
	await d.getByRole('heading', { name: 'Chats' }).waitFor({ timeout: 30_000 });
	console.log('in by the code');
	// the card, after the first messages
	for (const text of ['واحد', 'اثنان', 'ثلاثة']) {
		await b.locator('textarea').fill(text);
		await b.getByRole('button', { name: 'إرسال' }).click();
	}
	await b.goBack();
	await b.getByRole('region', { name: 'احفظ طريقًا للعودة' }).waitFor({ timeout: 40_000 });
	await shot(b, 'o23-card-ar');
} catch (e) {
	for (const [name, page] of pages) await shot(page, `failed-${name}`);
	throw e;
} finally {
	await browser.close();
}
