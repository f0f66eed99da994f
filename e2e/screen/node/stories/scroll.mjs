// Alice reads a long conversation back to its beginning on a browser that she has linked.
// What she reads moves as far as she turns the wheel and no further, whatever comes in above.

import { linksPast } from '../enter.mjs';
import { desktop, same } from '../stage.mjs';
import { held, intervals, round, Trace } from '../frames.mjs';

const step = 400; // px of one turn of the wheel

export default async function scroll(stage, { many, measured }) {
	const alice = await stage.person('alice', desktop);
	const bob = { name: 'bob' };
	await linksPast(alice);
	await alice.opens(bob);
	await alice.reads(`(${many - 1})`);
	await alice.page.waitForFunction(() => document.querySelectorAll('.scroller article').length > 5);
	const [first] = [await held(alice)];
	await alice.page.mouse.move(900, 400);

	await jumps(alice, Math.min(many, 400));
	if (measured) await alice.button('to_latest').click();
	const read = await glides(alice, 4000, measured ? 80_000 : 20_000);
	const flung = await glides(alice, 30_000, measured ? Infinity : 60_000);
	const last = await held(alice);
	await stage.wish(`record ${JSON.stringify({ story: 'scroll', messages: many, read, flung, first, last })}`);
	await alice.button('to_latest').click();
	await alice.seesWhole(`(${many - 1})`);
	const back = await held(alice);
	const most = Math.max(first.nodes, last.nodes, back.nodes);
	if (most > 6000) throw new Error(`${most} nodes are in the page`);
	if (last.heap_mb > first.heap_mb + 30) throw new Error(`${last.heap_mb} MB of heap, ${first.heap_mb} before`);
}

// jumps turns the wheel step by step past so many messages, and looks at each step where
// what was in the middle has gone.
async function jumps(person, messages) {
	let wrong = 0, turns = 0;
	await person.page.waitForFunction(resting, null, { polling: 'raf' });
	for (const begin = await newest(person); begin - (await newest(person)) < messages; turns++) {
		const { id, top, room } = await person.page.evaluate(middle);
		if (room < step) break;
		await person.page.mouse.wheel(0, -step);
		await person.page.waitForFunction(settled, { id, top }, { polling: 'raf' });
		const now = await person.page.evaluate(topOf, id);
		if (now === null || Math.abs(now - top - step) > 2) {
			wrong++;
			console.error(`turn ${turns}: ${id} went from ${top} to ${now}`);
		}
	}
	console.error(`${turns} turns of the wheel, ${wrong} wrong`);
	same(wrong, 0, 'turns after which what is read stood elsewhere');
}

// newest is the number of the lowest message that is seen.
const newest = (person) => person.page.evaluate(() => {
	const view = document.querySelector('.scroller').getBoundingClientRect();
	const all = [...document.querySelectorAll('.scroller article')].filter((a) => a.getBoundingClientRect().top < view.bottom);
	return Number(/\((\d+)\)/.exec(all.at(-1)?.innerText ?? '')?.[1] ?? -1);
});

function middle() {
	const scroller = document.querySelector('.scroller');
	const { top, height } = scroller.getBoundingClientRect();
	const it = [...scroller.querySelectorAll('article')].find((a) => a.getBoundingClientRect().bottom > top + height / 4);
	return { id: it.dataset.message, top: it.getBoundingClientRect().top, room: scroller.scrollTop };
}

function topOf(id) {
	return document.querySelector(`[data-message="${CSS.escape(id)}"]`)?.getBoundingClientRect().top ?? null;
}

// resting says that what is there has found its place, and the engine has no more to tell.
function resting() {
	const { scrollTop, scrollHeight } = document.querySelector('.scroller');
	window.rested = window.place === scrollTop + scrollHeight / 1e6 ? (window.rested ?? 0) + 1 : 0;
	window.place = scrollTop + scrollHeight / 1e6;
	return window.rested >= 60;
}

// settled says that a message has moved, and then not in five frames.
function settled({ id, top }) {
	const at = document.querySelector(`[data-message="${CSS.escape(id)}"]`)?.getBoundingClientRect().top ?? null;
	window.still = at === window.stood && at !== top ? (window.still ?? 0) + 1 : 0;
	window.stood = at;
	return window.still >= 5;
}

// glides moves what is read by a finger's even pace, in px a second, so many px far or until
// it is at the beginning.
async function glides(person, speed, far) {
	const trace = await Trace.begin(person);
	await person.page.evaluate(watchFrames);
	const from = await newest(person), begun = Date.now();
	const cdp = await person.context.newCDPSession(person.page);
	for (let gone = 0; gone < far && (await newest(person)) > 20; gone += 5 * speed) {
		await cdp.send('Input.synthesizeScrollGesture', { x: 900, y: 400, yDistance: 5 * speed, speed, preventFling: true, gestureSourceType: 'mouse' });
	}
	const seconds = (Date.now() - begun) / 1000;
	await cdp.detach();
	const { moments, nodes } = await person.page.evaluate(() => ((window.over = true), window.watched));
	const passed = from - (await newest(person));
	return { speed, passed, seconds: round(seconds), most_nodes: nodes, page: intervals(moments), trace: await trace.end() };
}

function watchFrames() {
	window.over = false;
	window.watched = { moments: [], nodes: 0 };
	const each = (now) => {
		watched.moments.push(now);
		if (watched.moments.length % 10 === 0) watched.nodes = Math.max(watched.nodes, document.getElementsByTagName('*').length);
		if (!over) requestAnimationFrame(each);
	};
	requestAnimationFrame(each);
}
