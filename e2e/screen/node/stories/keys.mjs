// The lock, and whom it speaks of: it is read, codes are compared by camera and by eye, somebody
// shows another's code, a device is new and is told of calmly, before and after comparing; then
// blocking, reporting, and taking it back.

import { args as camera, away, lens, points } from '../camera.mjs';
import { desktop, phone, same } from '../stage.mjs';
import { look } from './looks.mjs';

export const args = camera;

export default async function keys(stage) {
	const alice = await stage.person('alice', desktop, lens);
	const bob = await stage.person('bob', phone, lens);
	await Promise.all([alice.signsIn(), bob.signsIn()]);
	await alice.meets(bob);
	await alice.writes('Hello Bob!');
	await bob.opens(alice);
	await bob.accepts();
	await bob.writes('مرحبًا أليس');
	await alice.reads('مرحبًا أليس');
	await meaning(alice, bob);
	await byEye(alice, bob);
	const second = await calmly(stage, alice, bob);
	await ownLeft(alice, bob);
	await comparedByCamera(stage, alice, bob, second);
	await anothersCode(alice, bob);
	await inQuestion(stage, alice, bob);
	await blocked(stage, alice, bob);
}

const lock = (p) => p.page.locator('main header').getByRole('button', { name: p.say('trust_more') });

async function tone(p, key) {
	await p.page.locator('main header').getByRole('button', { name: `${p.say(key)}. ${p.say('trust_more')}`, exact: true }).waitFor();
}

// meaning is two taps away: the lock, and what stands there.
async function meaning(alice, bob) {
	for (const [p, other] of [[alice, bob], [bob, alice]]) {
		await tone(p, 'trust_locked_short');
		await lock(p).click();
		await p.page.getByText(p.say('trust_locked')).waitFor();
		await p.page.getByText(p.say('trust_not_devices_text')).waitFor();
		await look(p, 'lock');
		await p.place(`chat/${other.address}`);
		await p.field().waitFor();
	}
}

// byEye: they read the groups to each other.
async function byEye(alice, bob) {
	await bob.place(`chat/${alice.address}/panel/codes`);
	await bob.page.getByText(bob.say('trust_by_eye'), { exact: true }).click();
	const digits = bob.page.locator('details .digits, details p.code');
	await digits.first().waitFor();
	await look(bob, 'codes-by-eye', bob.page.locator('svg[role=img]'), bob.page.locator('details p.code'));
	const hers = await read(alice, bob.address, alice.say('trust_own_code'));
	const his = (await digits.allInnerTexts()).map((t) => t.replace(/\s/g, ''));
	if (!his.includes(hers)) throw new Error(`alice reads out ${hers}, bob has ${his}`);
	await bob.button('trust_matches').click();
	await bob.page.getByText(bob.say('trust_all_compared', { name: 'alice' })).waitFor();
	for (const [p, other, key] of [[bob, alice, 'trust_verified_short'], [alice, bob, 'trust_locked_short']]) {
		await p.place(`chat/${other.address}`);
		await p.field().waitFor();
		await tone(p, key);
	}
}

async function read(p, other, heading) {
	await p.place(`chat/${other}/panel/codes`);
	await p.page.getByText(p.say('trust_by_eye'), { exact: true }).click();
	const own = p.page.locator('details h3').filter({ hasText: heading }).locator('xpath=following-sibling::p[1]');
	return (await own.innerText()).replace(/\s/g, '');
}

// calmly: she had not compared; a line says that there is a new device, and all goes on.
async function calmly(stage, alice, bob) {
	const second = await stage.person('bob', desktop, lens);
	second.name = 'second';
	await second.signsIn();
	await second.row(alice).click();
	await second.field().waitFor();
	await second.writes('From my computer, which is new');
	await alice.reads('which is new');
	const line = alice.page.getByText(alice.say('notice_new_device', { name: 'bob' }));
	await line.waitFor();
	await tone(alice, 'trust_locked_short');
	same(await alice.page.getByRole('alert').count(), 0, 'alarms about a device where nothing was compared');
	await look(alice, 'new-device');
	await alice.writes('I see');
	await bob.reads('I see');
	await second.reads('I see');
	return second;
}

// ownLeft: all of hers are compared, the other device of his own is not. That is said, and where to do it.
async function ownLeft(alice, bob) {
	await tone(bob, 'trust_locked_short');
	await lock(bob).click();
	await bob.page.getByText(bob.say('trust_locked_own')).waitFor();
	await look(bob, 'lock-own');
	await bob.button('trust_own_devices').click();
	const second = bob.page.getByRole('listitem').filter({ has: bob.page.getByRole('button', { name: /./ }) }).filter({ hasText: bob.say('devices_code') }).last();
	await second.getByText(bob.say('devices_code'), { exact: true }).click();
	await second.getByRole('button', { name: bob.say('trust_matches'), exact: true }).waitFor();
	await look(bob, 'device-compare', bob.page.locator('details[open] p.code'));
	await bob.place(`chat/${alice.address}`);
	await bob.field().waitFor();
}

// compares shows one's code on one side and has the other's camera see it.
async function scans(p, other, shown) {
	await shown.place(`chat/${p.address}/panel/codes`);
	await points(shown);
	await p.place(`chat/${other.address}/panel/codes`);
	await p.button('trust_scan', { name: other.called ?? other.name }).click();
}

async function comparedByCamera(stage, alice, bob, second) {
	bob.called = 'bob';
	await alice.place(`chat/${bob.address}/panel/codes`);
	await alice.page.getByText(alice.say('trust_own_lead', { name: 'bob' })).waitFor();
	await look(alice, 'codes', alice.page.locator('svg[role=img]'));
	await scans(alice, bob, bob);
	await alice.page.locator('.result.good').waitFor();
	await look(alice, 'codes-some', alice.page.locator('svg[role=img]'));
	await tone(alice, 'trust_locked_short'); // there is another device of his
	await scans(alice, bob, second);
	await alice.page.getByText(alice.say('trust_result_good', { name: 'bob' })).waitFor();
	await tone(alice, 'trust_verified_short');
	await lock(alice).click();
	await alice.page.getByText(alice.say('trust_verified')).waitFor();
	await stage.snap('verified');
}

// anothersCode: a square of somebody else, or one that was changed, compares nothing.
async function anothersCode(alice, bob) {
	await alice.place(`chat/${bob.address}/panel/codes`);
	await points(alice); // her own, held before her camera
	await alice.button('trust_scan', { name: 'bob' }).click();
	await alice.page.getByRole('alert').getByText(alice.say('trust_result_own', { name: 'bob' })).waitFor();
	await alice.button('trust_show_own').click();
	await tone(alice, 'trust_verified_short'); // what was compared stays
	away();
	const others = `xmpp:carol@localhost?omemo-sid-1=${'1'.repeat(64)}`;
	for (const [text, key] of [['https://example.org/', 'trust_result_none'], [others, 'trust_result_bad'], [`xmpp:${bob.address}?omemo-sid-1=${'0'.repeat(64)}`, 'trust_result_missing']]) {
		await alice.button('trust_scan', { name: 'bob' }).click();
		await alice.page.getByLabel(alice.say('trust_paste')).fill(text);
		await alice.page.getByRole('button', { name: alice.say('trust_compare'), exact: true }).last().click();
		await alice.page.getByRole('alert').getByText(alice.say(key, { name: 'bob' })).waitFor();
		if (text === others) await look(alice, 'codes-bad', alice.page.locator('video'));
		await alice.button('trust_show_own').click();
	}
	await tone(alice, 'trust_verified_short');
}

// inQuestion: codes were compared, and a device is new. Nothing goes there before a person has decided.
async function inQuestion(stage, alice, bob) {
	await alice.place(`chat/${bob.address}`);
	const third = await stage.person('bob', desktop, lens);
	third.name = 'third';
	await third.signsIn();
	await third.row(alice).click();
	await third.field().waitFor();
	await third.writes('It is me, Bob, on yet another one');
	await alice.reads('on yet another one');
	const decide = alice.page.getByRole('region', { name: alice.say('trust_decide') });
	await decide.waitFor();
	await tone(alice, 'trust_new_short');
	await look(alice, 'decide');
	await lock(alice).click();
	await alice.page.getByText(alice.say('trust_changed')).waitFor();
	await look(alice, 'lock-changed');
	await alice.writes('not for the new one');
	await bob.place(`chat/${alice.address}`);
	await bob.reads('not for the new one');
	await stage.snap('in-question');
	await decide.getByRole('button', { name: alice.say('trust_compare_first') }).click();
	await scans(alice, bob, third);
	await alice.page.locator('.result.good').waitFor();
	await decide.waitFor({ state: 'detached' });
	await tone(alice, 'trust_verified_short');
	await third.place(`chat/${alice.address}`);
	await alice.writes('for all of them');
	await third.reads('for all of them');
	same(await third.message('not for the new one').locator('.text').filter({ hasText: 'not for the new one' }).count(), 0, 'what the new device has of what was written before it was compared');
	// on his first device it is one of his own that he has to know
	await stage.snap('decided');
}

async function blocked(stage, alice, bob) {
	await alice.place(`chat/${bob.address}/panel/block`);
	await alice.page.getByRole('switch').click();
	await alice.page.getByLabel(alice.say('privacy_report_text')).fill('unasked advertisements');
	await look(alice, 'block');
	await alice.button('privacy_block_and_report').click();
	await alice.button('privacy_block_and_report').waitFor({ state: 'detached' });
	await alice.place('page/blocked');
	await alice.button('privacy_unblock_named', { name: 'bob' }).waitFor();
	await look(alice, 'blocked');
	await bob.writes('هل تقرئين هذا؟');
	await alice.button('privacy_unblock_named', { name: 'bob' }).click();
	await alice.page.getByText(alice.say('privacy_blocked_none')).waitFor();
	await alice.place(`chat/${bob.address}`);
	await alice.writes('Back again');
	await bob.reads('Back again');
	same(await alice.message('هل تقرئين هذا').count(), 0, 'what came from who was blocked');
	await stage.snap('blocked');
}
