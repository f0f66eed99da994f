// Two people sign in and write to each other, in two browsers, against a server that runs;
// screenshots go to try/shots.
//
//	mirsal serve --http-plain 127.0.0.1:5280 … ; MIRSAL=http://127.0.0.1:5280 npm run preview -- --port 4173
//	node try/two.mjs http://127.0.0.1:4173 alice@localhost PASSWORD bob@localhost PASSWORD

import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [at, alice, alicePassword, bob, bobPassword] = process.argv.slice(2);
const shots = new URL('shots/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });

const pages = [];
async function person(name, options, choices) {
	const context = await browser.newContext(options);
	await context.addInitScript((c) => localStorage.getItem('mirsal screen') || localStorage.setItem('mirsal screen', JSON.stringify(c)), choices);
	const page = await context.newPage();
	pages.push([name, page]);
	page.on('console', (m) => ['error', 'warning'].includes(m.type()) && console.log(name, m.type(), m.text()));
	page.on('pageerror', (e) => console.log(name, 'error', e.stack ?? e));
	await page.goto(at);
	return page;
}
const shot = (page, name) => page.screenshot({ path: `${shots}${name}.png` });

async function signIn(page, address, password) {
	await page.locator('form').waitFor();
	await page.locator('input').nth(0).fill(address);
	await page.locator('input').nth(1).fill(password);
	await page.locator('form button').click();
	await page.locator('.panes').waitFor();
}

async function write(page, text) {
	await page.locator('textarea').fill(text);
	await page.locator('.composer .line > button').click();
}

try {
	const a = await person('alice', { viewport: { width: 1280, height: 800 }, colorScheme: 'light' }, { locale: 'en' });
	const b = await person('bob', { viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true }, { locale: 'ar' });
	await a.waitForTimeout(500);
	await shot(a, '0-loading');
	await a.locator('form').waitFor({ timeout: 60_000 });
	await b.locator('form').waitFor({ timeout: 60_000 });
	await shot(a, '1-signin');
	await shot(b, '1-signin-ar');
	await Promise.all([signIn(a, alice, alicePassword), signIn(b, bob, bobPassword)]);
	await a.waitForTimeout(2500);
	await shot(a, '2-chats-empty');
	await shot(b, '2-chats-empty-ar');
	for (const [page, who] of [[a, bob], [b, alice]]) {
		await page.locator('section header button').first().click();
		await page.locator('section form input').fill(who);
		if (page === a) await shot(a, '3-new');
		await page.locator('section form button, section ul button').first().click();
		await page.locator('textarea').waitFor();
	}
	await a.waitForTimeout(1500);
	await write(a, 'Hello Bob! Did you see the *new* plan for the library?');
	await write(a, 'It opens at `09:00` on Saturday: https://example.org/plan (bring the keys).');
	await b.locator('.message').getByText('Saturday').waitFor({ timeout: 20_000 });
	await write(b, 'نعم رأيته، يبدو رائعًا 😄');
	await write(b, 'سآتي بالمفاتيح صباح السبت إن شاء الله، وسأمرّ على أحمد في الطريق حتى لا يتأخر علينا هذه المرّة.');
	await a.locator('.message').getByText('صباح السبت').waitFor({ timeout: 20_000 });
	await write(a, '> bring the keys\nPerfect. One more thing:\n```\nalarm code\n4 digits\n```');
	await write(a, 'See you there');
	await b.locator('.message').getByText('See you').waitFor({ timeout: 20_000 });
	// a reply, a reaction, an edit, one taken back
	if (await b.locator('.asks').count()) await b.locator('.asks button').last().click();
	await b.locator('.message').filter({ hasText: 'See you' }).locator('.text').click();
	await b.locator('.message').filter({ hasText: 'See you' }).locator('[aria-haspopup=menu]').click();
	await b.waitForTimeout(400);
	await shot(b, '4-menu-ar');
	await b.getByRole('menuitem').first().click();
	await write(b, 'إلى اللقاء!');
	await a.locator('.message').getByText('إلى اللقاء').waitFor({ timeout: 20_000 });
	await a.locator('.message').filter({ hasText: 'إلى اللقاء' }).hover();
	await a.locator('.message').filter({ hasText: 'إلى اللقاء' }).locator('.tools button').first().click();
	await shot(a, '5-react');
	await a.getByRole('group').getByText('❤️').click();
	await write(a, 'wrong wrods');
	await a.waitForTimeout(1200);
	await a.locator('textarea').press('ArrowUp');
	await shot(a, '6-edit');
	await write(a, 'right words');
	await write(a, 'never mind this');
	await a.waitForTimeout(1200);
	await a.locator('.message').filter({ hasText: 'never mind this' }).hover();
	await a.locator('.message').filter({ hasText: 'never mind this' }).locator('[aria-haspopup=menu]').click();
	await a.getByRole('menuitem').last().click();
	await a.mouse.move(600, 10);
	await b.locator('textarea').fill('أكتب ');
	await a.waitForTimeout(2500);
	await shot(a, '7-talk');
	await shot(b, '7-talk-ar');
	await b.goBack();
	await b.waitForTimeout(500);
	await write(a, 'Are you there?');
	await b.waitForTimeout(2500);
	await shot(b, '8-list-ar');
	// again, from the snapshot
	await a.waitForTimeout(2500);
	const before = Date.now();
	await a.reload();
	await a.locator('.panes li').first().waitFor();
	console.log('painted again after', Date.now() - before, 'ms, in the page', Math.round(await a.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1)), 'ms');
	await shot(a, '9-again');
	// and without a network, from the release that was kept
	await a.evaluate(() => navigator.serviceWorker.ready.then(() => true));
	await a.context().setOffline(true);
	await a.reload();
	await a.locator('.panes li').first().waitFor();
	console.log('offline after', Math.round(await a.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1)), 'ms');
	await a.waitForTimeout(1500);
	await shot(a, '10-offline');
} catch (e) {
	for (const [name, page] of pages) await shot(page, `failed-${name}`);
	throw e;
} finally {
	await browser.close();
}
