// Whether everybody can use what looks does not picture: every page and panel that the
// features list, in both languages, in the light and in the dark.

import { sound } from '../axe.mjs';
import { screens, shown } from '../screens.mjs';
import { desktop, phone } from '../stage.mjs';

export default async function usable(stage) {
	const all = await screens();
	const alice = await stage.person('alice', desktop);
	const bob = await stage.person('bob', phone);
	for (const p of [alice, bob]) await p.signsIn();
	await alice.meets(bob);
	await alice.writes('who has the keys?');
	await bob.opens(alice);
	await bob.button('asks_yes').waitFor();
	await sound(bob, 'asked');
	await bob.accepts();
	await bob.writes('المفاتيح معي');
	await alice.reads('المفاتيح معي');
	await Promise.all([walk(alice, bob, all), walk(bob, alice, all)]);
}

async function walk(p, other, { panels, pages }) {
	for (const panel of panels) await opened(p, 'panel', panel, `chat/${other.address}/panel/${panel}`);
	for (const page of pages) await opened(p, 'page', page, `page/${page}`);
}

async function opened(p, kind, name, place) {
	await p.place(place);
	await shown(p, kind);
	await sound(p, `${kind} ${name}`);
}
