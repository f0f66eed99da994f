// agent.mjs drives a page of Chromium in which stanza.js makes calls (page.js). It reads commands from standard input, one
// JSON object a line: {id, do, …}, and answers each with {id, value} or {id, error}, one after the other. It ends,
// and Chromium with it, when its input does.
//
//   node agent.mjs CHROMIUM

import readline from 'node:readline';
import { stage } from './stage.mjs';

const page = await stage(process.argv[2]);
for await (const line of readline.createInterface({ input: process.stdin })) {
	const { id, do: what, ...how } = JSON.parse(line);
	let answer;
	try {
		answer = { id, value: (await page.does(what, how)) ?? null };
	} catch (e) {
		answer = { id, error: `${e.message}\n${page.said.join('\n')}` };
	}
	process.stdout.write(JSON.stringify(answer) + '\n');
}
await page.close();
