// A link to be called by: alice makes one, bob, who is a stranger, opens it and is asked; he calls once, by relays
// alone; a second time it does not ring, nor does one that alice has ended.

import { desktop, phone, same } from '../stage.mjs';
import { sound } from '../axe.mjs';
import { speaking, watchCalls } from '../media.mjs';

export const args = ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'];

const lens = { permissions: ['camera', 'microphone', 'clipboard-read', 'clipboard-write'] };

export default async function calllinks(stage) {
	const alice = await stage.person('alice', desktop, lens);
	const bob = await stage.person('bob', phone, lens);
	for (const p of [alice, bob]) await p.context.addInitScript(watchCalls);
	await Promise.all([alice.signsIn(), bob.signsIn()]);

	const link = await makes(stage, alice);
	await asked(stage, bob, link);
	await rings(stage, alice, bob);
	await usedUp(stage, alice, bob, link);
	await ended(stage, alice, bob);
}

// until is what the row of a link begins with
const until = (p) => p.say('calls_link_until').replace(/\{.*/, '').trim();

async function makes(stage, alice) {
	await alice.place('page/calls');
	await alice.page.getByRole('button', { name: alice.say('calls_link') }).click();
	await alice.page.getByText(alice.say('calls_link_lead')).waitFor();
	await stage.snap('link-make');
	await sound(alice, 'the page where call links are made');
	await alice.page.getByRole('radio').first().focus();
	await alice.page.keyboard.press('ArrowRight'); // a day
	await alice.button('people_invite_make').focus();
	await alice.page.keyboard.press('Enter');
	const shown = alice.page.locator('p.code');
	await shown.waitFor();
	await alice.page.getByRole('listitem').filter({ hasText: until(alice) }).waitFor();
	await stage.snap('link-made');
	await sound(alice, 'a call link');
	const link = (await shown.innerText()).trim();
	if (!/^xmpp:alice@\S+\?call;link=[A-Z2-7]{26}$/.test(link)) throw new Error(`the link is ${link}`);
	await alice.button('people_invite_copy').click();
	same(await alice.page.evaluate(() => navigator.clipboard.readText()), link, 'what was copied');
	return link;
}

async function opens(bob, link) {
	await bob.place('page/add');
	await bob.page.getByLabel(bob.say('people_add_what')).fill(link);
	await bob.button('new_add').click();
}

async function asked(stage, bob, link) {
	await opens(bob, link.replace('call;link=', 'call;link=A'));
	await bob.page.getByText(bob.say('calls_by_link_none')).waitFor();
	await opens(bob, link);
	await bob.page.getByText(bob.say('calls_by_link_lead')).waitFor();
	await stage.snap('link-asks');
	await sound(bob, 'a call link that was opened');
	same(await bob.page.evaluate(() => globalThis.made.length), 0, 'what was made before a tap');
}

const calling = (p, address) => p.page.getByRole('alertdialog', { name: `${address} ${p.say('calls_incoming_voice')}` });

async function rings(stage, alice, bob) {
	await bob.button('calls_voice').click();
	await calling(alice, bob.address).waitFor();
	await alice.page.getByText(alice.say('calls_stranger_link')).waitFor();
	await stage.snap('link-rings');
	await sound(alice, 'a stranger who rings by a link');
	await alice.button('calls_accept').click();
	await speaking(alice, bob);
	for (const p of [alice, bob]) await hears(p);
	await stage.snap('link-speaks');
	await bob.button('calls_hang_up').click();
	for (const p of [alice, bob]) await p.page.locator('dialog[open]').waitFor({ state: 'detached' });
	// it is used up, and the log says by what it rang
	await alice.page.getByText(alice.say('calls_link_lead')).waitFor();
	same(await alice.page.getByRole('listitem').filter({ hasText: until(alice) }).count(), 0, 'links that are open');
	await alice.place('page/calls');
	await alice.page.getByRole('listitem').filter({ hasText: bob.address }).filter({ hasText: alice.say('calls_link_rang') }).waitFor();
	await stage.snap('link-log');
	await sound(alice, 'the log of a call by a link');
}

// hears waits until sound comes, by a relay alone.
async function hears(p) {
	for (const by = Date.now() + 120_000; ; ) {
		const got = await p.page.evaluate(async () => {
			const all = [...((await globalThis.made.at(-1)?.getStats())?.values() ?? [])];
			const pair = all.find((s) => s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded');
			return {
				heard: all.filter((s) => s.type === 'inbound-rtp').reduce((n, s) => n + s.packetsReceived, 0),
				way: pair && [pair.localCandidateId, pair.remoteCandidateId].map((id) => all.find((s) => s.id === id)?.candidateType).join(),
			};
		});
		if (got.heard > 20 && got.way) return same(got.way, 'relay,relay', `the way of ${p.name}`);
		if (Date.now() > by) throw new Error(`${p.name} hears ${JSON.stringify(got)}`);
		await p.page.waitForTimeout(100);
	}
}

async function usedUp(stage, alice, bob, link) {
	await opens(bob, link);
	await bob.button('calls_voice').click();
	await alice.page.getByRole('listitem').filter({ hasText: alice.say('calls_silent_stranger') }).waitFor();
	same(await calling(alice, bob.address).count(), 0, 'calls that ring');
	await stage.snap('link-used');
	await bob.button('calls_hang_up').click();
	await bob.page.locator('dialog[open]').waitFor({ state: 'detached' });
}

async function ended(stage, alice, bob) {
	await alice.page.getByRole('button', { name: alice.say('calls_link') }).click();
	await alice.button('people_invite_make').click();
	const row = alice.page.getByRole('listitem').filter({ hasText: until(alice) });
	await row.getByRole('button').click();
	await row.waitFor({ state: 'detached' });
	await alice.page.locator('p.code').waitFor({ state: 'detached' }); // nor is it shown any more
	same(await calling(alice, bob.address).count(), 0, 'calls that ring');

	await bob.place('page/call-links');
	await bob.button('people_invite_make').click();
	await bob.page.locator('p.code').waitFor();
	await stage.snap('link-made-phone');
	await sound(bob, 'a call link on a phone');
}
