// Locks, security codes, devices, settings and privacy, tried by two people in two browsers
// against a server that runs; screenshots go to try/shots/trust. The camera that scans a code is made up.
//
//	node try/trust.mjs http://127.0.0.1:4173 alice@localhost PASSWORD bob@localhost PASSWORD

import { mkdirSync, writeFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import decode from 'qr/decode.js';

const [at, alice, alicePassword, bob, bobPassword] = process.argv.slice(2);
const shots = new URL('shots/trust/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });
const film = `${shots}camera.y4m`;
writeFileSync(film, video(640, 480, () => 128));

const args = ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${film}`];
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
const pages = [];

async function person(name, options, choices) {
	const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write', 'camera'], ...options });
	await context.addInitScript((c) => localStorage.getItem('mirsal screen') || localStorage.setItem('mirsal screen', JSON.stringify(c)), choices);
	const page = await context.newPage();
	pages.push([name, page]);
	page.on('console', (m) => ['error', 'warning'].includes(m.type()) && console.log(name, m.type(), m.text()));
	page.on('pageerror', (e) => console.log(name, 'error', e.stack ?? e));
	page.setDefaultTimeout(20_000);
	await page.goto(at);
	await page.locator('ul li button').first().waitFor({ timeout: 60_000 });
	return page;
}
const shot = async (page, name) => {
	await page.waitForTimeout(350);
	await page.screenshot({ path: `${shots}${name}.png` });
};
async function signIn(page, address, password) {
	await page.locator('ul li button').nth(2).click();
	await page.locator('input').nth(0).fill(address);
	await page.locator('input').nth(1).fill(password);
	await page.locator('form button').click();
	await page.locator('.panes').waitFor();
}
async function write(page, text) {
	await page.locator('textarea').fill(text);
	await page.locator('textarea').press('Enter');
	if (await page.locator('textarea').inputValue()) await page.locator('.composer .line > button').last().click();
}
const go = (page, hash) => page.evaluate((h) => (location.hash = h), hash);
const lock = (page) => page.locator('main header').getByRole('button', { name: /What this means|ماذا يعني هذا/ });

// the dark fields of the code that is shown
async function fields(page) {
	await page.locator('svg[role=img] path').waitFor();
	const [d, box] = await page.locator('svg[role=img]').evaluate((s) => [s.querySelector('path').getAttribute('d'), s.getAttribute('viewBox')]);
	const dark = new Set([...d.matchAll(/M(\d+) (\d+)h1/g)].map((m) => `${m[1]} ${m[2]}`));
	return { size: Number(box.split(' ')[2]), dark };
}
async function text(page) {
	const { size, dark } = await fields(page);
	const scale = 6;
	const side = size * scale;
	const data = new Uint8Array(side * side * 4).fill(255);
	for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) if (dark.has(`${Math.floor(x / scale)} ${Math.floor(y / scale)}`)) data.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3);
	return decode({ width: side, height: side, data }, { effort: 4, timeLimit: 2000 });
}
function video(w, h, luma) {
	const frame = Buffer.alloc((w * h * 3) / 2, 128);
	for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) frame[y * w + x] = luma(x, y);
	return Buffer.concat([Buffer.from(`YUV4MPEG2 W${w} H${h} F10:1 Ip A1:1 C420jpeg\n`), ...Array.from({ length: 10 }, () => Buffer.concat([Buffer.from('FRAME\n'), frame]))]);
}
async function hold(page) {
	const { size, dark } = await fields(page);
	const scale = Math.floor(440 / size);
	const [left, top] = [(640 - size * scale) >> 1, (480 - size * scale) >> 1];
	writeFileSync(film, video(640, 480, (x, y) => (dark.has(`${Math.floor((x - left) / scale)} ${Math.floor((y - top) / scale)}`) ? 16 : 235)));
}

try {
	const a = await person('alice', { viewport: { width: 1280, height: 800 }, colorScheme: 'light' }, { locale: 'en' });
	const b = await person('bob', { viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true }, { locale: 'ar' });
	await Promise.all([signIn(a, alice, alicePassword), signIn(b, bob, bobPassword)]);
	await go(a, `#/chat/${bob}`);
	await go(b, `#/chat/${alice}`);
	await a.waitForTimeout(5000); // until each has the other's keys
	await write(a, 'Hello Bob!');
	await b.locator('.message').getByText('Hello Bob!').waitFor();
	await write(b, 'مرحبًا');
	await a.locator('.message').getByText('مرحبًا').waitFor();
	await shot(a, '01-head');
	await lock(a).click();
	await a.getByRole('heading', { name: 'What is not protected' }).waitFor();
	await shot(a, '02-lock');
	await a.locator('aside .scrolls').evaluate((s) => (s.scrollTop = 9999));
	await shot(a, '03-lock-end');
	await lock(b).click();
	await shot(b, '04-lock-ar');
	await b.locator('aside .scrolls').evaluate((s) => (s.scrollTop = 9999));
	await shot(b, '05-lock-end-ar');
	// bob shows, alice scans
	await go(b, `#/chat/${alice}/panel/codes`);
	await hold(b);
	await shot(b, '06-codes-ar');
	await go(a, `#/chat/${bob}/panel/codes`);
	const own = await text(a);
	await shot(a, '07-codes');
	await a.getByRole('button', { name: /^Scan the code/ }).click();
	await a.getByText(/It matches/).waitFor();
	await shot(a, '08-scanned');
	await a.locator('summary').click();
	await a.locator('aside .scrolls').evaluate((s) => (s.scrollTop = 400));
	await shot(a, '09-by-eye');
	// bob takes alice's as a text; somebody else's does not match
	await b.getByRole('button', { name: /^مسح/ }).click();
	await b.getByRole('textbox').last().fill(own.replace(/[0-9a-f]{8}$/, '00000000'));
	await b.locator('aside form button').click();
	await b.getByRole('alert').first().waitFor();
	await shot(b, '10-not-matching-ar');
	await b.getByRole('textbox').last().fill(own);
	await b.locator('aside form button').click();
	await b.locator('.result.good').waitFor();
	await shot(b, '11-matching-ar');
	await go(b, `#/chat/${alice}`);
	// alice links a phone
	await go(a, '#/page/devices');
	await shot(a, '12-devices');
	await a.getByRole('button', { name: /Link a new device/ }).click();
	await a.getByRole('button', { name: 'Copy as text' }).waitFor();
	await shot(a, '13-link');
	const code = await text(a);
	const c = await person('phone', { viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true }, { locale: 'ar' });
	await c.locator('ul li button').nth(1).click();
	await c.getByRole('textbox').fill(code);
	await c.locator('form button').click();
	await c.locator('button').last().waitFor();
	await c.getByRole('button', { name: 'نعم' }).click();
	await a.getByRole('textbox').first().waitFor();
	await c.locator('.digits').waitFor();
	await shot(a, '14-asked');
	const digits = (await c.locator('.digits').textContent()).replace(/\D/g, '');
	await a.getByLabel(/six digits/).fill('000000');
	await a.getByRole('button', { name: 'Let it in', exact: true }).click();
	await a.getByText(/These are not the digits/).waitFor();
	await shot(a, '15-wrong-digits');
	await a.getByLabel(/six digits/).fill(digits);
	await a.getByRole('button', { name: 'Let it in', exact: true }).click();
	await a.getByText(/is ready/).waitFor();
	await shot(a, '16-linked');
	await c.locator('.panes').waitFor();
	await c.locator('.panes li').first().waitFor();
	await shot(c, '17-phone');
	// it writes: bob has compared, so it is to be decided about
	await go(c, `#/chat/${bob}`);
	await write(c, 'من هاتفي الجديد');
	await b.locator('main section[aria-label="رمز أمان ينتظر قرارك"]').waitFor();
	await shot(b, '18-decide-ar');
	await lock(b).click();
	await shot(b, '19-changed-ar');
	await go(b, `#/chat/${alice}`);
	await b.getByRole('button', { name: 'القبول دون مقارنة' }).click();
	await b.locator('main section[aria-label="رمز أمان ينتظر قرارك"]').waitFor({ state: 'detached' });
	await shot(b, '20-accepted-ar');
	await go(a, '#/page/devices');
	await a.getByRole('button', { name: /^Sign out/ }).first().waitFor();
	await shot(a, '21-devices');
	await go(c, '#/page/devices');
	await shot(c, '22-devices-ar');
	await a.getByRole('button', { name: /^Sign out/ }).first().click();
	await shot(a, '23-sign-out');
	await a.locator('dialog').getByRole('button', { name: 'Sign out', exact: true }).click();
	await a.locator('dialog[open]').waitFor({ state: 'detached' });
	await shot(a, '24-signed-out');
	await c.waitForTimeout(1500);
	await shot(c, '25-phone-out');
	// settings
	await go(a, `#/chat/${bob}/page/settings`);
	await a.getByRole('switch').first().waitFor();
	await shot(a, '30-settings');
	await go(b, '#/page/settings');
	await b.getByRole('switch').first().waitFor();
	await shot(b, '31-settings-ar');
	await b.locator('.side .scrolls').evaluate((s) => (s.scrollTop = 9999));
	await shot(b, '32-settings-end-ar');
	await b.getByRole('button', { name: /تسجيل الخروج/ }).click();
	await shot(b, '33-leave-ar');
	await b.keyboard.press('Escape');
	await go(a, '#/page/profile');
	await a.locator('input[type=file]').setInputFiles(`${shots}02-lock.png`);
	await a.locator('.picture img').waitFor();
	await a.getByLabel('Your name').fill('Alice Abbas');
	await a.getByRole('button', { name: 'Save' }).click();
	await a.getByRole('button', { name: 'Save' }).waitFor({ state: 'detached' });
	await shot(a, '34-profile');
	await go(a, '#/page/sees');
	await a.locator('dt').first().waitFor();
	await shot(a, '35-sees');
	await go(b, '#/page/sees');
	await b.locator('dt').first().waitFor();
	await shot(b, '36-sees-ar');
	// messages that disappear, and blocking
	await go(b, `#/chat/${alice}/panel/timer`);
	await b.getByRole('radio').nth(2).click();
	await b.waitForTimeout(500);
	await shot(b, '37-timer-ar');
	await go(b, `#/chat/${alice}`);
	await write(b, 'هذه تختفي');
	await go(a, `#/chat/${bob}`);
	await a.locator('.message').getByText('هذه تختفي').waitFor();
	await shot(a, '38-timer');
	await shot(b, '39-timed-ar');
	await go(a, `#/chat/${bob}/panel/block`);
	await a.getByRole('switch').click();
	await shot(a, '40-block');
	await a.getByRole('button', { name: 'Block and report' }).click();
	await a.waitForTimeout(800);
	await shot(a, '41-blocked');
	await go(a, '#/page/blocked');
	await a.getByRole('button', { name: /^Unblock/ }).first().waitFor();
	await shot(a, '42-blocked-people');
} catch (e) {
	for (const [name, page] of pages) await shot(page, `failed-${name}`);
	throw e;
} finally {
	await browser.close();
}
