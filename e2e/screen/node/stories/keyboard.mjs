// All of the core by the keyboard alone, in both languages: from signing in to a
// conversation and back, as a screen reader has it. The other one uses a mouse.

import { Keys, heard, hears, tree } from '../keys.mjs';
import { desktop, phone, same } from '../stage.mjs';

export default async function keyboard(stage) {
	await goes(stage, 'alice', { ...desktop }, 'bob', phone);
	for (const p of stage.people.splice(0)) await p.context.close();
	await goes(stage, 'carol', { ...desktop, locale: 'ar', theme: 'dark' }, 'dave', { ...phone, locale: 'en' });
}

async function goes(stage, name, kind, otherName, otherKind) {
	const p = await stage.person(name, kind);
	await hears(p);
	const q = await stage.person(otherName, otherKind);
	const keys = new Keys(p);
	await q.signsIn();
	await signsIn(p, keys);
	await begins(p, q, keys);
	await answers(p, q, keys);
	await reacts(p, q, keys);
	await corrects(p, q, keys);
	await takesBack(p, keys);
	await finds(p, keys);
	await looksAtTheLock(p, keys);
	await setsUp(p, keys);
	await returns(p, q, keys);
	await stage.snap('keyboard');
}

const title = (p, key) => p.page.getByRole('heading', { name: p.say(key), exact: true });

async function signsIn(p, keys) {
	await p.goes();
	const way = p.page.getByRole('button', { name: p.say('onboarding_way_code') });
	await way.waitFor();
	await tree(p, 'the ways in');
	await keys.to(way);
	await keys.press('Enter');
	await p.page.getByLabel(p.say('signin_address')).waitFor();
	await keys.to(p.page.getByLabel(p.say('signin_address')));
	await keys.type(p.address);
	await keys.to(p.page.getByLabel(p.say('signin_password')));
	await keys.type('wrong');
	await keys.press('Enter');
	await p.page.waitForFunction((wrong) => globalThis.heard.includes(wrong), p.say('signin_wrong')); // what is wrong is told
	await tree(p, 'a wrong password');
	await keys.here('after a wrong password');
	await keys.to(p.page.getByLabel(p.say('signin_password')), { back: true });
	await keys.press('Control+a');
	await keys.type(p.stage.how.password);
	await keys.press('Enter');
	await keys.on(title(p, 'chats'), 'after signing in');
	await tree(p, 'no chats');
}

async function begins(p, q, keys) {
	await keys.to(p.button('chat_new'));
	await keys.press('Enter');
	await keys.on(title(p, 'chat_new'), 'a page');
	await tree(p, 'a new chat');
	await keys.to(p.whom());
	await keys.type(q.address);
	await keys.to(p.button('new_add'));
	await keys.press('Enter');
	await keys.on(p.field(), 'a chat that begins');
	await keys.type('good morning from the keyboard');
	await keys.press('Enter');
	await p.reads('good morning from the keyboard');
	await keys.on(p.field(), 'what was sent');
	await q.opens(p);
	await q.accepts();
	await q.reads('good morning from the keyboard');
	await q.writes('good morning to you');
	await p.reads('good morning to you');
	await q.writes('shall we meet?');
	await p.reads('shall we meet?');
	await keys.on(p.field(), 'what comes meanwhile');
	await p.page.waitForFunction(() => globalThis.heard.some((h) => h.includes('shall we meet?')));
	const said = (await heard(p)).filter((h) => h.includes('good morning'));
	same(said, [`${q.name}: good morning to you`], 'what was announced');
	await p.delivered('good morning from the keyboard', 'delivered', 'read');
	same((await heard(p)).filter((h) => /\d:\d\d|[٠-٩]:[٠-٩]/.test(h)), [], 'times that were announced');
}

/** message leads the focus from the composer to the message. */
async function toMessage(p, keys, text) {
	await keys.to(p.page.locator('article[tabindex="0"]'), { back: true });
	await keys.down(p.message(text), 'ArrowUp');
}

const inMenu = (p, keys) => keys.on(p.page.getByRole('menuitem').first(), 'a menu');

async function answers(p, q, keys) {
	await toMessage(p, keys, 'good morning to you');
	const nodes = await tree(p, 'a conversation');
	const told = nodes.filter((n) => n.role?.value === 'article').map((n) => n.name.value);
	const mine = told.find((t) => t.includes('good morning from the keyboard'));
	const theirs = told.find((t) => t.includes('good morning to you'));
	if (!theirs?.startsWith(p.say('from', { name: q.name })) || !/[\d٠-٩]/.test(theirs)) throw new Error(`a message does not tell whose and when it is: ${theirs}`);
	const states = ['sent', 'delivered', 'read'].map((s) => p.say(`delivery_${s}`));
	if (!mine?.startsWith(p.say('from_you')) || !states.some((s) => mine.endsWith(s))) throw new Error(`one’s own message does not tell how far it has come: ${mine}`);
	const places = await p.page.locator('ol > li').evaluateAll((all) => all.map((li) => [Number(li.ariaPosInSet), li.ariaSetSize]));
	if (places.some(([at], i) => at !== places[0][0] + i) || places.some(([, of]) => !of)) throw new Error(`the messages have no places in their list: ${JSON.stringify(places)}`);
	await keys.press('Enter');
	const line = p.page.getByRole('menuitem', { name: p.say('reply'), exact: true });
	await keys.down(line);
	await tree(p, 'the menu of a message');
	await keys.press('Escape');
	await keys.here('a menu that was closed');
	await keys.press('Enter');
	await keys.down(line);
	await keys.press('Enter');
	await keys.on(p.field(), 'a reply');
	await keys.press('Escape'); // what is answered is let go, and the chat stays
	await keys.on(p.field(), 'a reply that was let go');
	await toMessage(p, keys, 'good morning to you');
	await keys.press('Enter');
	await keys.down(line);
	await keys.press('Enter');
	await keys.on(p.field(), 'a reply');
	await keys.type('an answer');
	await keys.press('Enter');
	await q.message('an answer').getByText('good morning to you').waitFor();
}

async function reacts(p, q, keys) {
	await toMessage(p, keys, 'shall we meet?');
	const it = p.message('shall we meet?');
	await keys.to(it.getByRole('button', { name: p.say('react'), exact: true }));
	await keys.press('Enter');
	await keys.on(p.page.getByRole('group', { name: p.say('react') }).getByRole('button').first(), 'the signs');
	await tree(p, 'the signs');
	await keys.press('Tab', 'Enter');
	await q.message('shall we meet?').getByRole('button', { name: /❤️/ }).waitFor();
	await keys.here('a reaction');
}

async function corrects(p, q, keys) {
	await keys.to(p.field());
	await keys.press('ArrowUp');
	await p.page.getByText(p.say('editing')).waitFor();
	await keys.press('Control+a');
	await keys.type('a better answer');
	await keys.press('Enter');
	await q.message('a better answer').waitFor();
	await p.delivered('a better answer', 'delivered', 'read');
}

async function takesBack(p, keys) {
	const remove = p.page.getByRole('menuitem', { name: p.say('delete'), exact: true });
	const dialog = p.page.getByRole('dialog');
	await toMessage(p, keys, 'a better answer');
	await keys.press('Enter');
	await inMenu(p, keys);
	await keys.press('End', 'Enter'); // what destroys is the last
	await keys.on(dialog, 'a question');
	await tree(p, 'a question');
	for (let i = 0; i < 6; i++) await keys.press('Tab');
	await keys.press('Escape');
	await dialog.waitFor({ state: 'detached' });
	await keys.here('a question that was closed');
	await keys.on(p.message('a better answer'), 'a question that was closed');
	await keys.press('Enter');
	await inMenu(p, keys);
	await keys.press('End', 'Enter');
	await keys.on(dialog, 'a question');
	await keys.to(dialog.getByRole('button', { name: p.say('retract') }));
	await keys.press('Enter');
	await p.message(p.say('retracted')).waitFor();
	await keys.here('a message that was taken back');
}

async function finds(p, keys) {
	await keys.to(p.button('chat_menu'), { back: true });
	await keys.press('Enter');
	await keys.down(p.page.getByRole('menuitem', { name: p.say('search_in_chat') }));
	await keys.press('Enter');
	await keys.on(p.page.getByRole('searchbox', { name: p.say('search_words') }), 'a search');
	await keys.type('keyboard');
	const hit = p.page.getByRole('complementary').getByRole('link').filter({ hasText: 'keyboard' });
	await hit.waitFor();
	await tree(p, 'what was found');
	await keys.to(hit);
	await keys.press('Escape');
	await hit.waitFor({ state: 'detached' });
	await keys.on(p.button('chat_menu'), 'a panel that was closed');
}

async function looksAtTheLock(p, keys) {
	const lock = p.page.getByRole('button', { name: new RegExp(p.say('trust_more').replace('?', '.')) });
	await keys.to(lock, { back: true });
	await keys.press('Enter');
	await keys.on(p.page.getByRole('complementary').getByRole('heading').first(), 'the lock');
	await tree(p, 'the lock');
	await keys.press('Escape');
	await keys.on(lock, 'the lock that was looked at');
}

async function setsUp(p, keys) {
	await keys.to(p.button('menu'));
	await keys.press('Enter');
	await keys.down(p.page.getByRole('menuitem', { name: p.say('settings_title'), exact: true }));
	await keys.press('Enter');
	await keys.on(title(p, 'settings_title'), 'the settings');
	await tree(p, 'the settings');
	const devices = p.page.getByRole('button', { name: p.say('settings_devices') });
	await keys.to(devices);
	await keys.press('Enter');
	await keys.on(title(p, 'devices_title'), 'the devices');
	await tree(p, 'the devices');
	await keys.press('Escape');
	await keys.on(devices, 'back in the settings');
	await keys.to(p.page.getByRole('button', { name: p.say('settings_leave') }), { most: 60 }); // through all of it
	await keys.press('Enter');
	await keys.on(p.page.getByRole('dialog'), 'signing out');
	await keys.press('Escape');
	await keys.on(p.page.getByRole('button', { name: p.say('settings_leave') }), 'signing out that was not done');
	await keys.press('Escape');
	await keys.on(p.button('menu'), 'back at the chats');
	await p.field().waitFor(); // the chat has stayed
}

async function returns(p, q, keys) {
	await keys.to(p.row(q));
	await keys.press('Enter');
	await keys.to(p.field());
	await keys.press('Escape');
	await p.field().waitFor({ state: 'detached' });
	await keys.here('a chat that was closed');
	await tree(p, 'the chats');
	await keys.to(p.row(q));
	await keys.press('Enter');
	await keys.on(p.field(), 'a chat that is opened again');
}
