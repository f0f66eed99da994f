// run.mjs tells one story in Chromium and ends with 1 if it does not go as told, or if
// a page has complained.
//
//   node run.mjs '{"chromium":"/usr/bin/chromium","story":"talk","at":"http://127.0.0.1:5280", …}'
//
// A story is a function of node/stories, which is given a Stage. What it wishes to have
// done to the server goes out as a line, and the answer comes as one. It may export args,
// which are Chromium's.

import { Stage } from './stage.mjs';

const how = JSON.parse(process.argv[2]);
const { default: story, args } = await import(`./stories/${how.story}.mjs`);
const stage = await Stage.open(how, args);
let wrong = 0;
try {
	await story(stage, how.choices ?? {});
	wrong = stage.complaints.length;
} catch (e) {
	console.error(e);
	await stage.look();
	await stage.snap('failed');
	wrong = 1;
}
for (const c of stage.complaints) console.error(c);
await stage.close();
process.exit(wrong ? 1 : 0);
