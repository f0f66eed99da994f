// The server is killed while Alice writes, and comes back: Bob has every line once, in
// order, and so has she.

import { desktop, met, same } from '../stage.mjs';

export default async function restart(stage) {
	const alice = await stage.person('alice', desktop);
	const bob = await stage.person('bob', desktop);
	await met(alice, bob, 'line 0');
	stage.expect(/WebSocket|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/);
	const lines = ['line 0'];
	for (let i = 1; i <= 12; i++) {
		if (i === 4) await stage.wish('kill');
		if (i === 8) await stage.wish('start');
		await alice.writes(`line ${i}`);
		lines.push(`line ${i}`);
	}
	await bob.reads('line 12');
	for (const line of lines) await alice.delivered(new RegExp(`^\\s*${line}(?!\\d)`), 'sent', 'delivered', 'read');
	same(await bob.texts('line '), lines, 'what bob has');
	same(await alice.texts('line '), lines, 'what alice has');
	await bob.page.reload();
	await bob.reads('line 12');
	same(await bob.texts('line '), lines, 'what bob has after another start');
}
