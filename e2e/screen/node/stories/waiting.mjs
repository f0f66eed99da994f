// Where the server has new devices wait (auth.link_wait): all of one's devices are told at once, and
// any of them can refuse; who is not refused comes in when the time is over.

import { clipboard } from '../enter.mjs';
import { desktop, phone } from '../stage.mjs';
import { look } from './looks.mjs';

export default async function waiting(stage) {
	const alice = await stage.person('alice', desktop, clipboard);
	const other = await stage.person('alice', { ...phone, locale: 'en' });
	other.name = 'other';
	await Promise.all([alice.signsIn(), other.signsIn()]);
	await alice.place('page/devices');
	await alice.page.getByRole('button', { name: alice.say('devices_link_hint') }).click();
	const thief = await stage.person('thief', phone);
	await letIn(stage, alice, thief);
	await other.page.getByRole('alert').getByRole('button', { name: other.say('devices_look') }).click();
	await other.button('devices_waits_refuse').waitFor();
	await look(other, 'device-waits', other.page.getByRole('alert').locator('p'));
	await other.button('devices_waits_refuse').click();
	await thief.page.getByRole('heading', { name: thief.say('onboarding_join_failed') }).waitFor();
	await alice.page.getByText(alice.say('devices_link_elsewhere')).waitFor();
	await stage.snap('refused');

	const own = await stage.person('own', phone);
	await alice.button('devices_link_new').click();
	await letIn(stage, alice, own);
	await look(own, 'join-held', own.page.locator('.lead'));
	await stage.snap('held');
	await own.page.getByRole('heading', { name: own.say('chats') }).waitFor();
	await alice.page.getByText(alice.say('devices_link_done')).waitFor();
}

async function letIn(stage, alice, p) {
	await alice.button('devices_link_copy').click();
	await p.page.goto(await alice.page.evaluate(() => navigator.clipboard.readText()));
	await p.button('onboarding_join_go').click();
	await p.page.locator('.digits').waitFor();
	await alice.page.getByLabel(alice.say('devices_link_digits')).fill(await p.page.locator('.digits').innerText());
	await alice.button('devices_link_yes').click();
	await p.page.getByRole('heading', { name: p.say('onboarding_join_held') }).waitFor();
	await alice.page.locator('.state[role=status] p').waitFor();
	await stage.snap('let-in');
}
