// The screen and `mirsal call`: each calls the other, with sound and pictures that are counted at both ends, and
// each hangs up. Bob is the terminal.

import { desktop, same } from '../stage.mjs';
import { flows, speaking, watchCalls } from '../media.mjs';

export const args = ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'];

const bob = { name: 'bob' };

export default async function terminal(stage) {
	const alice = await stage.person('alice', desktop, { permissions: ['camera', 'microphone'] });
	bob.address = `bob@${stage.how.domain}`;
	await alice.context.addInitScript(watchCalls);
	await alice.signsIn();
	await alice.meets(bob);
	await stage.wish('meets alice');
	await alice.button('calls_video').waitFor();

	for (const who of [alice, bob]) {
		await stage.wish('dials --answer --video --count 1');
		await alice.button('calls_video').click();
		await spoken(stage, alice, who);
	}
	for (const who of [alice, bob]) {
		await stage.wish(`dials ${alice.address} --video`);
		await alice.page.getByRole('alertdialog', { name: `${bob.name} ${alice.say('calls_incoming_video')}` }).waitFor();
		await alice.button('calls_accept_video').click();
		await spoken(stage, alice, who);
	}
	same(await alice.page.evaluate(() => globalThis.made.length), 4, 'connections of four calls');
}

// spoken has a call flow both ways, and one of the two end it.
async function spoken(stage, alice, who) {
	await speaking(alice);
	await flows(alice, 'audio', 'video');
	await stage.wish('hears');
	await stage.snap(`terminal-${who.name}`);
	if (who === alice) await alice.button('calls_hang_up').click();
	else await stage.wish('hangs-up');
	await alice.page.locator('dialog[open]').waitFor({ state: 'detached' });
	const counted = JSON.parse(await stage.wish('ends'));
	const { audio, video } = counted;
	if (!(audio.packets > 20 && audio.sentFrames > 20 && video.frames > 3 && video.sentFrames > 3)) throw new Error(`the terminal has counted ${JSON.stringify(counted)}`);
}
