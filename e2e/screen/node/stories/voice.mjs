// Voice notes: recorded on a phone by holding and by locking, given up by sliding away and by
// Escape; heard in another browser, faster and while one is elsewhere; got by Profanity as a
// file. Chromium's microphone of tests beeps.

import { desktop, phone, same } from '../stage.mjs';

export default async function voice(stage) {
	const carol = { name: 'carol', address: `carol@${stage.how.domain}`, does: (what) => stage.wish(`carol ${what}`) };
	const alice = await stage.person('alice', desktop);
	const bob = await stage.person('bob', phone);
	for (const p of [alice, bob]) await p.context.addInitScript(watchSounds);
	await Promise.all([alice.signsIn(), bob.signsIn()]);
	await alice.meets(carol);
	await alice.writes('hello carol');
	await carol.does(`accepts ${alice.address}`);
	await alice.meets(bob);
	await alice.writes('hello bob');
	await bob.opens(alice);
	await bob.accepts();
	await bob.button('to_latest').waitFor({ state: 'detached' }); // all of it is to be seen

	await givenUp(stage, bob, alice);
	same(await voices(bob).count(), 0, 'what was given up is not there');

	// held, then let go: that sends
	await held(bob, async () => await lasts(bob, 1));
	const sent = voices(bob).last();
	await sent.waitFor();
	await bob.page.getByRole('group', { name: bob.say('voice_recording') }).waitFor({ state: 'detached' });

	// pressed once: locked, sent by the button
	await bob.button('voice_record').click();
	await lasts(bob, 9);
	await stage.snap('voice-locked');
	await bob.button('voice_send').click();
	await voices(alice).nth(1).waitFor();
	const heard = voices(alice).nth(1);
	await heard.getByRole('button', { name: alice.say('voice_play') }).waitFor();
	await drawn(alice, heard);
	await stage.snap('voice-sent');

	await hears(stage, alice, heard, carol);
	await toOthers(alice, carol);
}

const voices = (person) => person.page.getByRole('article').getByRole('group', { name: person.say('voice_message') });

// watchSounds keeps the sounds that a page plays, which are in no document, for a look at them.
function watchSounds() {
	globalThis.sounds = [];
	const play = HTMLMediaElement.prototype.play;
	HTMLMediaElement.prototype.play = function () {
		if (!globalThis.sounds.includes(this)) globalThis.sounds.push(this);
		return play.call(this);
	};
}

// held presses the microphone, does something meanwhile, and lets it go.
async function held(person, meanwhile) {
	const box = await person.button('voice_record').boundingBox();
	const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
	await person.page.mouse.move(at.x, at.y);
	await person.page.mouse.down();
	await person.page.getByRole('group', { name: person.say('voice_recording') }).waitFor();
	await meanwhile(at);
	await person.page.mouse.up();
}

// lasts waits until so many seconds are recorded.
async function lasts(person, seconds) {
	await person.page.waitForFunction((n) => {
		const shown = document.querySelector('[role=timer]')?.textContent ?? '';
		const digits = shown.replace(/[\u0660-\u0669]/g, (d) => d.charCodeAt(0) - 0x660).replace(/[\u06f0-\u06f9]/g, (d) => d.charCodeAt(0) - 0x6f0);
		const [minutes, rest] = digits.split(':').map(Number);
		return minutes * 60 + rest >= n;
	}, seconds);
}

// givenUp: slid to where words begin, which is the right in Arabic; and Escape.
async function givenUp(stage, bob, alice) {
	await held(bob, async (at) => {
		await lasts(bob, 1);
		await bob.page.mouse.move(at.x + 40, at.y, { steps: 4 });
		await stage.snap('voice-slide');
		await bob.page.mouse.move(at.x + 120, at.y, { steps: 4 });
		await bob.page.getByRole('group', { name: bob.say('voice_recording') }).waitFor({ state: 'detached' });
	});
	await alice.button('voice_record').focus();
	await alice.page.keyboard.press('Enter');
	await alice.page.getByRole('group', { name: alice.say('voice_recording') }).waitFor();
	await alice.page.keyboard.press('Escape');
	await alice.page.getByRole('group', { name: alice.say('voice_recording') }).waitFor({ state: 'detached' });
	await alice.button('voice_record').waitFor();
}

// drawn: a waveform has bars that are not all as low as silence, and the length is told.
async function drawn(person, note) {
	const bars = await note.locator('svg path').evaluateAll((all) => all.map((p) => p.getAttribute('d')).join(''));
	const heights = [...bars.matchAll(/M[\d.]+ ([\d.]+)V([\d.]+)/g)].map(([, from, to]) => to - from);
	if (heights.length !== 48 || Math.max(...heights) < 8 || new Set(heights).size < 3) throw new Error(`the waveform is ${heights}`);
	await note.getByText(/^(0:09|0:1\d|٠:٠٩|٠:١.)$/).waitFor();
}

// hears plays a note: the sound moves, its frames were decoded; faster; on in another chat.
async function hears(stage, person, note, elsewhere) {
	await note.getByRole('button', { name: person.say('voice_play') }).click();
	await note.getByRole('button', { name: person.say('voice_pause') }).waitFor();
	await person.page.waitForFunction(() => globalThis.sounds.at(-1)?.currentTime > 0.2);
	if (!(await person.page.evaluate(() => globalThis.sounds.at(-1).webkitAudioDecodedByteCount > 0))) throw new Error('nothing was decoded');
	for (const [from, to] of [['1', '1.5'], ['1.5', '2']]) {
		await note.getByRole('button', { name: person.say('voice_speed', { speed: from }) }).click();
		await note.getByRole('button', { name: person.say('voice_speed', { speed: to }) }).waitFor();
		await person.page.waitForFunction((rate) => globalThis.sounds.at(-1).playbackRate === rate && !globalThis.sounds.at(-1).paused, Number(to));
	}
	await stage.snap('voice-plays');
	await person.opens(elsewhere);
	const bar = person.page.getByRole('region', { name: person.say('voice_player') });
	await bar.waitFor();
	const then = await person.page.evaluate(() => globalThis.sounds.at(-1).currentTime);
	await person.page.waitForFunction((then) => globalThis.sounds.at(-1).currentTime > then + 0.2, then);
	await stage.snap('voice-elsewhere');
	await bar.waitFor({ state: 'detached' }); // at its end
	same(await person.page.evaluate(() => globalThis.sounds.length), 1, 'how many sounds play at once');
}

// toOthers: whoever has another program gets a file that is a sound.
async function toOthers(alice, carol) {
	await alice.opens(carol);
	await alice.button('voice_record').click();
	await lasts(alice, 1);
	await alice.button('voice_send').click();
	await voices(alice).last().waitFor();
	await carol.does(`opens ${alice.address}`);
	await carol.does('hears');
}
