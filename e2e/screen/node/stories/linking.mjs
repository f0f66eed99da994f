// A second device: by the link that the square holds, opened as a phone's camera opens it, by the
// camera of the page, and as a text; with all that was said. Then it is removed, and one is refused.

import { clipboard } from '../enter.mjs';
import { args as camera, lens, points } from '../camera.mjs';
import { desktop, phone, same } from '../stage.mjs';
import { look } from './looks.mjs';

export const args = camera;

export default async function linking(stage) {
	const alice = await stage.person('alice', desktop, clipboard);
	const bob = await stage.person('bob', desktop);
	await Promise.all([alice.signsIn(), bob.signsIn()]);
	await talk(alice, bob);
	const own = await stage.person('phone', phone, lens);
	await notACode(own);
	await comesIn(stage, alice, own);
	await hasAll(stage, alice, own, bob);
	await signedOut(stage, alice, own, bob);
	await refused(stage, alice, await stage.person('thief', phone, lens));
}

// chat is a line of the list; a group's has its people's names as well.
const chat = (p, name) => p.page.getByRole('link', { name: new RegExp(`^${name}`) });

// picture is one that a page has drawn.
async function picture(p) {
	const png = await p.page.evaluate(() => {
		const k = Object.assign(document.createElement('canvas'), { width: 600, height: 400 });
		const g = k.getContext('2d');
		g.fillStyle = '#c9743a';
		g.fillRect(0, 0, 600, 400);
		g.fillStyle = '#2d5f73';
		g.arc(300, 200, 130, 0, 7);
		g.fill();
		return k.toDataURL('image/png').split(',')[1];
	});
	return { name: 'roof.png', mimeType: 'image/png', buffer: Buffer.from(png, 'base64') };
}

async function talk(alice, bob) {
	await alice.meets(bob);
	await alice.writes('Do you have the keys?');
	await bob.opens(alice);
	await bob.accepts();
	await bob.writes('Yes, in my pocket.');
	await alice.reads('in my pocket');
	await alice.page.locator('.attach input[type=file]').first().setInputFiles(await picture(alice));
	await alice.page.getByRole('dialog').getByRole('button', { name: alice.say('send'), exact: true }).click();
	await bob.page.getByRole('article').locator('img').first().waitFor();
	await alice.button('chat_menu').click();
	await alice.page.getByRole('menuitem', { name: alice.say('pin') }).click();
	await chat(alice, 'bob').getByText(alice.say('pinned')).waitFor({ state: 'attached' });
	await gathers(alice, 'Noise');
	await chat(bob, 'Noise').click();
	await bob.button('asks_no').click(); // an invitation that is declined leaves nothing
	await chat(bob, 'Noise').waitFor({ state: 'detached' });
	await gathers(alice, 'Library plan');
	await alice.writes('Welcome to our group');
	await alice.reads('Welcome to our group');
	await chat(bob, 'Library plan').click();
	await bob.button('group_asked_yes').click();
	await bob.field().waitFor();
	await alice.writes('We begin on Saturday');
	await bob.reads('We begin on Saturday');
	await bob.writes('I shall be there');
	await alice.reads('I shall be there');
	await chat(alice, 'bob').click();
	await alice.field().fill('what I am about to');
}

async function gathers(alice, name) {
	await alice.place('page/group');
	await alice.page.getByLabel(alice.say('group_name')).fill(name);
	await alice.page.getByRole('checkbox', { name: 'bob' }).check({ force: true });
	await alice.page.getByRole('button', { name: /^Create group/ }).click();
	await alice.page.getByRole('heading', { name }).waitFor();
	await alice.field().waitFor();
}

// notACode: what is no code of a device is told to be none.
async function notACode(own) {
	await own.goes();
	await own.page.getByRole('button', { name: own.say('onboarding_way_device') }).click();
	await own.page.getByRole('progressbar').waitFor({ state: 'hidden' });
	await look(own, 'join');
	await own.page.getByLabel(own.say('onboarding_join_paste')).fill('https://example.org/#link=nothing');
	await own.button('onboarding_go_on').click();
	await own.page.getByText(own.say('onboarding_join_wrong')).waitFor();
	await own.page.getByLabel(own.say('onboarding_join_paste')).fill('');
}

async function shows(alice) {
	await alice.place('');
	await alice.button('menu').click();
	await alice.page.getByRole('menuitem', { name: alice.say('devices_title') }).click();
	await alice.page.getByRole('button', { name: alice.say('devices_link_hint') }).click();
	await alice.button('devices_link_copy').waitFor();
}

// comesIn: the camera sees the square; wrong digits do not let it in, the right ones do.
async function comesIn(stage, alice, own) {
	await shows(alice);
	await look(alice, 'link', alice.page.locator('svg[role=img]'), alice.page.getByRole('timer'), alice.page.locator('ol'));
	await points(alice);
	await own.button('onboarding_join_scan').click();
	await own.button('onboarding_join_go').waitFor();
	await look(own, 'join-as');
	await own.button('onboarding_join_go').click();
	await alice.page.getByRole('heading', { name: alice.say('devices_link_asks') }).waitFor();
	await look(alice, 'link-asked');
	await own.page.locator('.digits').waitFor();
	await look(own, 'join-digits', own.page.locator('.digits'));
	const digits = (await own.page.locator('.digits').innerText()).replace(/\D/g, '');
	const field = alice.page.getByLabel(alice.say('devices_link_digits'));
	await field.fill(digits === '000000' ? '000001' : '000000');
	await alice.button('devices_link_yes').click();
	await alice.page.getByText(alice.say('devices_link_wrong')).waitFor();
	await field.fill(digits);
	await alice.button('devices_link_yes').click();
	await alice.page.getByText(alice.say('devices_link_done')).waitFor();
	await stage.snap('linked');
	await alice.page.getByRole('button', { name: alice.say('devices_title'), exact: true }).last().click();
}

async function hasAll(stage, alice, own, bob) {
	await own.page.getByRole('heading', { name: own.say('chats') }).waitFor();
	await chat(own, 'bob').getByText(own.say('pinned')).waitFor({ state: 'attached' });
	await chat(own, 'bob').click();
	for (const text of ['Do you have the keys?', 'in my pocket']) await own.reads(text);
	await own.page.getByRole('article').locator('img').first().waitFor();
	if (await own.page.getByText(own.say('trust_changed_short')).count()) throw new Error('a device that was linked is in question');
	await own.writes('من هاتفي الجديد');
	await chat(bob, 'alice').click();
	await bob.reads('من هاتفي الجديد');
	await alice.place('');
	await chat(alice, 'bob').click();
	await alice.reads('من هاتفي الجديد');
	if ((await alice.field().inputValue()) !== 'what I am about to') throw new Error('what was being written is gone');
	await bob.writes('I see you have two now');
	for (const p of [alice, own]) await p.reads('I see you have two now');
	await stage.snap('both');
	await own.page.goBack();
	await chat(own, 'Library plan').click();
	for (const text of ['Welcome to our group', 'I shall be there']) await own.reads(text);
	await own.writes('أنا هنا أيضًا');
	await chat(bob, 'Library plan').click();
	await bob.reads('أنا هنا أيضًا');
	await own.page.goBack();
}

// signedOut: one tap and a yes; the device says so calmly, keeps what it has, and hears no more.
async function signedOut(stage, alice, own, bob) {
	await own.place('page/devices');
	await own.page.getByRole('heading', { name: own.say('devices_others') }).waitFor();
	await own.page.getByRole('listitem').nth(1).waitFor();
	await look(own, 'devices', own.page.getByText(/Chromium|Chrome/));
	await own.place('');
	await alice.place('page/devices');
	const out = alice.page.getByRole('button', { name: /^Sign out / });
	await out.waitFor();
	await look(alice, 'devices');
	await out.click();
	await alice.page.getByRole('dialog').getByText(alice.say('devices_remove_text')).waitFor();
	await look(alice, 'device-remove');
	stage.expect(/WebSocket|401|ERR_CONNECTION/);
	await alice.page.getByRole('dialog').getByRole('button', { name: alice.say('devices_remove'), exact: true }).click();
	await alice.page.getByText(alice.say('devices_none')).waitFor();
	await own.page.getByRole('heading', { name: own.say('failure_out') }).waitFor();
	await look(own, 'signed-out');
	await chat(bob, 'alice').click();
	await bob.writes('for the computer alone');
	await alice.place('');
	await chat(alice, 'bob').click();
	await alice.reads('for the computer alone');
	await own.button('failure_out_look').click();
	await chat(own, 'bob').click();
	await own.reads('in my pocket');
	same(await own.message('for the computer alone').count(), 0, 'what a removed device has of later messages');
}

// refused: somebody opens the link, as if by the camera of a phone, and is not let in.
async function refused(stage, alice, thief) {
	await shows(alice);
	await alice.button('devices_link_copy').click();
	const link = await alice.page.evaluate(() => navigator.clipboard.readText());
	if (!link.startsWith(`${alice.at}/#link=a=alice%40`)) throw new Error(`the code is ${link}`);
	await thief.page.goto(link);
	await thief.button('onboarding_join_go').waitFor();
	same(new URL(thief.page.url()).hash, '', 'what is left of the code in the address');
	await thief.button('onboarding_join_go').click();
	await alice.button('devices_link_no').click();
	await alice.page.getByText(alice.say('devices_link_refused')).waitFor();
	await thief.page.getByRole('heading', { name: thief.say('onboarding_join_failed') }).waitFor();
	await look(thief, 'join-refused');
	// and where there is an account already, a code is no use
	await alice.page.goto(link);
	await alice.page.getByText(alice.say('onboarding_here_code')).waitFor();
	await alice.button('onboarding_to_chats').click();
	await stage.snap('refused');
}
