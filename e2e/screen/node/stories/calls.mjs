// Calls between a desktop and a phone: by voice, muted, with video added, hung up; with video;
// declined; taken back, which is missed; answered on another device of the same account. What
// speaks media is made where somebody has accepted and not before (R13), and what is sent
// arrives, counted in frames and packets at both ends.

import { desktop, phone, same } from '../stage.mjs';
import { sound } from '../axe.mjs';
import { flows, speaking, watchCalls } from '../media.mjs';

export const args = ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'];

const lens = { permissions: ['camera', 'microphone', 'notifications'] };

export default async function calls(stage) {
	const alice = await stage.person('alice', desktop, lens);
	const bob = await stage.person('bob', phone, lens);
	for (const p of [alice, bob]) await p.context.addInitScript(watchCalls);
	await Promise.all([alice.signsIn(), bob.signsIn()]);
	same(await alice.button('calls_voice').count(), 0, 'a way to call where no chat is open');
	await alice.meets(bob);
	await alice.writes('hello bob');
	await bob.opens(alice);
	await bob.accepts();
	await bob.reads('hello bob');
	await alice.delivered('hello bob', 'delivered', 'read');

	await byVoice(stage, alice, bob);
	await withVideo(stage, alice, bob);
	await declined(stage, alice, bob);
	await takenBack(stage, alice, bob);
	await overWindows(stage, alice, bob);
	await untold(alice, bob);
	await elsewhere(stage, alice, bob);
}

const made = (p) => p.page.evaluate(() => globalThis.made.length);
const open = (p) => p.page.evaluate(() => globalThis.opened.filter((t) => t.readyState === 'live').map((t) => t.kind).sort());

const rings = (p, other, video = false) => p.page.getByRole('alertdialog', { name: `${other.name} ${p.say(video ? 'calls_incoming_video' : 'calls_incoming_voice')}` });

// lines are the calls that stand in a conversation.
const lines = (p) => p.page.getByRole('region', { name: p.say('messages') }).locator('.call');

async function places(p, video = false) {
	const key = video ? 'calls_video' : 'calls_voice';
	const menu = p.page.getByRole('button', { name: p.say('calls_call'), exact: true });
	if (!(await menu.isVisible())) return p.button(key).click();
	await menu.click();
	await p.page.getByRole('menuitem', { name: p.say(key), exact: true }).click();
}

async function over(...people) {
	for (const p of people) {
		await p.page.locator('dialog[open]').waitFor({ state: 'detached' });
		await p.page.waitForFunction(() => globalThis.opened.every((t) => t.readyState === 'ended') && globalThis.made.every((c) => c.signalingState === 'closed'));
	}
}

async function byVoice(stage, alice, bob) {
	await places(alice);
	await rings(bob, alice).waitFor();
	same(await bob.page.evaluate(() => document.activeElement.closest('dialog[open]') && document.activeElement.tagName), 'DIV', 'what has the focus when it rings: no button');
	await alice.page.getByText(alice.say('calls_ringing')).first().waitFor();
	await stage.snap('calls-ringing');
	same([await made(bob), await open(bob)], [0, []], 'what bob has made and opened while it rings');
	same([await made(alice), await open(alice)], [0, ['audio']], 'what alice has made and opened while it rings there');
	await sound(bob, 'a call that rings');
	await bob.page.keyboard.press('Escape'); // puts it aside and declines nothing
	await rings(bob, alice).waitFor({ state: 'detached' });
	await bob.page.getByRole('region', { name: bob.say('calls_bar') }).getByRole('button').first().click();
	await rings(bob, alice).waitFor();
	await bob.button('calls_accept').click();
	await speaking(alice, bob);
	same([await made(alice), await made(bob)], [1, 1], 'connections of one call');
	await Promise.all([flows(alice, 'audio'), flows(bob, 'audio')]);
	await sound(alice, 'a call by voice');
	await stage.snap('calls-voice');

	await anotherWay(alice);
	await Promise.all([flows(alice, 'audio'), flows(bob, 'audio')]);

	await bob.button('calls_mic_off').click();
	await alice.page.getByText(alice.say('calls_their_mic', { name: bob.name })).first().waitFor();
	await stage.snap('calls-muted');
	await bob.button('calls_mic_on').click();
	await alice.page.getByText(alice.say('calls_their_mic', { name: bob.name })).first().waitFor({ state: 'detached' });

	// chats are read meanwhile
	await alice.button('calls_small').click();
	await alice.writes('written in a call');
	await bob.page.keyboard.press('Escape');
	await bob.reads('written in a call');
	await stage.snap('calls-small');
	for (const p of [alice, bob]) await p.page.getByRole('region', { name: p.say('calls_bar') }).getByRole('button').first().click();

	await alice.button('calls_camera_on').click();
	await flows(bob, 'video');
	await stage.snap('calls-video-one');
	await bob.button('calls_camera_on').click();
	await flows(alice, 'video');
	await stage.snap('calls-video-both');
	await sound(bob, 'a call with video');
	same([await made(alice), await made(bob)], [1, 1], 'connections when video was added');
	await alice.button('calls_share').click();
	await alice.page.getByText(alice.say('calls_shares')).waitFor();
	await flows(bob, 'video');
	await stage.snap('calls-screen');
	await alice.button('calls_share_end').click();
	await alice.page.getByText(alice.say('calls_shares')).waitFor({ state: 'detached' });
	await flows(bob, 'video'); // the camera, as before
	await alice.button('calls_camera_off').click();
	await bob.page.getByText(bob.say('calls_their_camera', { name: alice.name })).waitFor();
	same(await open(alice), ['audio'], 'what alice has open when her camera is off');
	await alice.page.getByRole('button', { name: new RegExp(`${alice.say('calls_more')}$`) }).last().click();
	await stage.snap('calls-lock');
	await alice.page.keyboard.press('Escape');
	await alice.button('calls_hang_up').click();
	await over(alice, bob);
	await lines(alice).filter({ hasText: alice.say('calls_video') }).waitFor();
}

// anotherWay: the machine is in another network, and the call goes on by a way of its own.
async function anotherWay(p) {
	const before = await p.page.evaluate(() => /a=ice-ufrag:(\S+)/.exec(globalThis.made.at(-1).remoteDescription?.sdp ?? '')?.[1]);
	await p.page.evaluate(() => dispatchEvent(new Event('online')));
	await p.page.waitForFunction((was) => {
		const c = globalThis.made.at(-1);
		const now = /a=ice-ufrag:(\S+)/.exec(c.remoteDescription?.sdp ?? '')?.[1];
		return now && now !== was && c.signalingState === 'stable' && c.connectionState === 'connected';
	}, before);
}

async function withVideo(stage, alice, bob) {
	await places(bob, true);
	await rings(alice, bob, true).waitFor();
	same(await open(alice), [], 'what alice has opened while it rings');
	await stage.snap('calls-video-rings');
	await alice.button('calls_accept_video').click();
	await speaking(alice, bob);
	await Promise.all([flows(alice, 'audio', 'video'), flows(bob, 'audio', 'video')]);
	await stage.snap('calls-video');
	await bob.button('calls_hang_up').click();
	await over(alice, bob);
}

async function declined(stage, alice, bob) {
	const before = await made(bob);
	await places(alice);
	await rings(bob, alice).waitFor();
	await bob.button('calls_decline').click();
	await alice.page.getByText(alice.say('calls_why_rejected', { name: bob.name })).first().waitFor();
	await stage.snap('calls-declined');
	same(await made(bob), before, 'connections that bob has made for a call that he declined');
	await alice.button('close').click();
	await over(alice, bob);
}

async function takenBack(stage, alice, bob) {
	const before = await made(bob);
	await places(alice);
	await rings(bob, alice).waitFor();
	await alice.button('calls_hang_up').click();
	await over(alice, bob);
	same(await made(bob), before, 'connections that bob has made for a call that was taken back');
	await lines(bob).filter({ hasText: bob.say('calls_missed_voice') }).waitFor();
	await bob.place('');
	await bob.page.getByRole('button', { name: bob.say('calls_missed_from', { name: alice.name }) }).click();
	await bob.page.getByRole('listitem').filter({ hasText: bob.say('calls_missed') }).first().waitFor();
	await stage.snap('calls-log');
	await sound(bob, 'the page of calls');
	await bob.button('back').first().click();
	await bob.button('calls_title').waitFor({ state: 'detached' });
	same(await bob.page.getByRole('button', { name: bob.say('calls_missed_from', { name: alice.name }) }).count(), 0, 'calls that were missed and seen');
	await bob.opens(alice);
	await bob.page.waitForFunction(() => !document.title.startsWith('(')); // and it is read
}

// overWindows: every window rings, one speaks, and another leads there and can end it.
async function overWindows(stage, alice, bob) {
	const first = alice.page;
	const second = await alice.context.newPage();
	await second.goto(alice.at);
	await second.getByRole('heading', { name: alice.say('chats') }).waitFor();
	await places(bob);
	await rings(alice, bob).waitFor();
	const there = Object.assign(Object.create(alice), { page: second, name: 'alice, second window' });
	await rings(there, bob).waitFor();
	await there.button('calls_accept').click();
	await speaking(there, bob);
	await rings(alice, bob).waitFor({ state: 'detached' });
	const bar = first.getByRole('region', { name: alice.say('calls_bar') });
	await bar.getByText(alice.say('calls_other_window')).waitFor();
	same(await open(alice), [], 'what the window has opened that does not speak');
	await stage.snap('calls-windows');
	await Promise.all([flows(there, 'audio'), flows(bob, 'audio')]);
	await bar.getByRole('button', { name: alice.say('calls_hang_up') }).click();
	await over(alice, there, bob);

	// a window that is closed ends what it speaks
	await places(bob);
	await there.button('calls_accept').click();
	await speaking(there, bob);
	await second.close();
	await over(bob);
	await bar.waitFor({ state: 'detached' });
}

// untold: who looks elsewhere is told of a call by a notification, which becomes that of a missed one.
async function untold(alice, bob) {
	await alice.page.evaluate(async () => {
		await navigator.serviceWorker.ready;
		localStorage.setItem('mirsal notify', JSON.stringify({ on: true }));
		dispatchEvent(new StorageEvent('storage', { key: 'mirsal notify' }));
		document.hasFocus = () => false;
		dispatchEvent(new Event('blur'));
		while ((await navigator.locks.query()).held.some((l) => l.name === 'mirsal looked at'));
	});
	await places(bob);
	await tells(alice, [bob.name, alice.say('calls_notify')]);
	await bob.button('calls_hang_up').click();
	await tells(alice, [bob.name, alice.say('calls_notify_missed')]);
	await places(bob);
	await tells(alice, [bob.name, alice.say('calls_notify')], [bob.name, alice.say('calls_notify_missed')]);
	await alice.button('calls_decline').click();
	await tells(alice, [bob.name, alice.say('calls_notify_missed')]);
	await bob.button('close').click();
	await over(alice, bob);
	await alice.page.evaluate(() => delete document.hasFocus);
}

// tells waits until there are these notifications of calls and no others.
async function tells(p, ...want) {
	for (const by = Date.now() + 60_000; ; ) {
		const got = await p.page.evaluate(async () => (await (await navigator.serviceWorker.getRegistration()).getNotifications()).filter((n) => n.tag.startsWith('call ')).map((n) => [n.title, n.body]));
		if (JSON.stringify(got.sort()) === JSON.stringify(want.sort())) return;
		if (Date.now() > by) throw new Error(`the notifications are ${JSON.stringify(got)}, not ${JSON.stringify(want)}`);
		await p.page.waitForTimeout(100);
	}
}

// elsewhere: bob has a second device, and one of the two answers.
async function elsewhere(stage, alice, bob) {
	const tablet = await stage.person('tablet', desktop, lens);
	tablet.address = bob.address;
	await tablet.context.addInitScript(watchCalls);
	await tablet.signsIn();
	await tablet.opens(alice);
	await places(alice);
	await Promise.all([rings(bob, alice).waitFor(), rings(tablet, alice).waitFor()]);
	const before = await made(bob);
	await tablet.button('calls_accept').click();
	await speaking(alice, tablet);
	await rings(bob, alice).waitFor({ state: 'detached' });
	await stage.snap('calls-elsewhere');
	same(await made(bob), before, 'connections that bob has made for a call that is answered elsewhere');
	await Promise.all([flows(alice, 'audio'), flows(tablet, 'audio')]);
	await alice.button('calls_hang_up').click();
	await over(alice, tablet);
}
