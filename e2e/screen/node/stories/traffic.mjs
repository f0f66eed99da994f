// Much is said to alice and by her, one to one and in a group, with reactions, corrections and
// typing. What the page holds, and its engine, levels off.

import { desktop } from '../stage.mjs';
import { held, inside } from '../frames.mjs';

export default async function traffic(stage, { each, own, last }) {
	const alice = await stage.person('alice', desktop);
	const bob = { name: 'bob', address: `bob@${stage.how.domain}` };
	const engine = await inside(alice);
	await alice.signsIn();
	await alice.meets(bob);
	await alice.writes('hello');
	await alice.delivered('hello', 'sent', 'delivered', 'read');
	await stage.wish('group');
	await alice.row({ name: 'Club' }).click();
	await alice.button('group_asked_yes').click();
	await alice.field().waitFor();
	await alice.row(bob).click();

	const look = async () => ({ ...(await held(alice)), ...(await engine()) });
	const quarters = [];
	await stage.wish(`talk ${each} warm`);
	await stage.wish('end warm');
	await alice.row({ name: 'Club' }).getByText('the end of warm').waitFor();
	const begin = await look();
	for (let q = 1; q <= 4; q++) {
		await alice.row({ name: q % 2 ? 'bob' : 'Club' }).click();
		await alice.field().waitFor();
		const talk = stage.wish(`talk ${each} quarter-${q}`);
		for (let i = 0; i < own - 1; i++) await alice.writes(`mine ${q} ${i}`);
		await talk;
		await alice.writes(`mine ${q} ${own - 1}`); // the last word, which is seen at the end
		await alice.delivered(`mine ${q} ${own - 1}`, 'sent', 'delivered', 'read');
		await stage.wish(`end quarter-${q}`);
		for (const name of ['bob', 'Club']) await alice.row({ name }).getByText(`the end of quarter-${q}`).waitFor();
		quarters.push(await look());
	}
	await stage.wish(`record ${JSON.stringify({ story: 'traffic', messages: 4 * (2 * (each + last) + own), begin, quarters })}`);
	const [, second, , fourth] = quarters;
	for (const [what, most] of [['heap_mb', 3], ['nodes', 300], ['engine_mb', 24]]) {
		if (fourth[what] > second[what] + most) throw new Error(`${what} grows: ${JSON.stringify({ begin, quarters })}`);
	}
}
