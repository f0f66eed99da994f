// engine.js is the Worker's script. Each tab has a Worker of it; one of them, by a
// Web Lock, runs the engine (engine.wasm), and the others hand on to it what their
// pages say. docs/protocol/engine.md has the messages.
//
// The lock is held by the Worker itself and not by a page: it goes when the Worker
// goes, and with it all that the engine was. The store refuses an engine that is not
// the latest besides.

import './wasm_exec.js';
import { disk as folder } from './disk.js';
import { Hub } from './hub.js';
import { load } from './load.js';
import { near } from './near.js';

const me = crypto.randomUUID();
let options; // of the page's first message
let channel; // to the Workers of the other tabs
let disk; // the profile's files
let hub; // when the engine runs here
let elsewhere; // the Worker where it runs, when that is another one
let run; // the engine's own handle, when it runs here
let turn; // ends our waiting for the lock
const early = []; // commands that came before there was an engine
const asked = new Set(); // refs of this page that wait for their answers

self.onmessage = ({ data }) => {
	if (data.do) return command(data);
	const f = { start, stop, put, file, erase }[data.worker];
	if (f) return f(data);
};

function start(o) {
	options = { profile: '', label: 'browser', wasm: 'engine.wasm', expect: '', ...o };
	disk = folder(options.profile);
	channel = new BroadcastChannel(`mirsal ${options.profile}`);
	channel.onmessage = ({ data }) => heard(data);
	state('waiting');
	channel.postMessage({ who: me });
	turn = new AbortController();
	navigator.locks.request(`mirsal ${options.profile}`, { signal: turn.signal }, host).catch(() => {});
}

function state(now, more = {}) {
	self.postMessage({ worker: 'state', state: now, ...more });
}

// command takes one of this page's to where the engine is.
function command(c) {
	if (c.ref) asked.add(c.ref);
	if (hub) hub.command(me, c);
	else if (elsewhere) channel.postMessage({ to: elsewhere, from: me, command: c });
	else early.push(c);
}

function event(e) {
	asked.delete(e.ref);
	self.postMessage(e);
}

// heard takes what another Worker says.
function heard(m) {
	if (m.who && hub) return here({ to: m.who, status: hub.status });
	if (m.here && !hub && (!m.to || m.to === me)) return attach(m);
	if (m.to === me && m.command) return hub ? hub.command(m.from, m.command) : undefined;
	if (m.event && m.from === elsewhere && (m.to === me || m.to === '*')) return event(m.event);
	if (m.gone && m.gone === elsewhere) return detach(m.why);
	if (m.close) close();
}

// here tells of the engine that runs here, and of which release it is.
function here(more = {}) {
	channel.postMessage({ here: me, release: options.integrity, ...more });
}

// attach turns to the engine of another tab. One of another release speaks in its own way perhaps: until that
// tab is gone, or loaded again, this one waits for the lock.
function attach({ here, release, status }) {
	if (release !== options.integrity) return state('waiting', { why: 'release' });
	if (here === elsewhere) return;
	interrupt();
	elsewhere = here;
	state('attached');
	if (status) event(status);
	for (const c of early.splice(0)) command(c);
}

function detach(why) {
	elsewhere = undefined;
	interrupt();
	state('waiting', { why });
}

// interrupt answers what an engine that is gone will not answer.
function interrupt() {
	const waiting = new Set(early.map((c) => c.ref));
	for (const ref of [...asked]) {
		if (waiting.has(ref)) continue;
		event({ event: 'done', ref, failure: { code: 'interrupted', text: 'the engine ended before it answered' } });
	}
}

// host runs the engine, for as long as it holds the lock.
async function host() {
	elsewhere = undefined;
	interrupt();
	try {
		const program = await load(new URL(options.wasm, import.meta.url), options.integrity, (done, total) => state('loading', { done, total }));
		await disk.clean().catch(() => {}); // where a browser has no folder, there are no files
		ended(await engine(program));
	} catch (e) {
		ended(`failed: ${e}`);
	}
}

// engine starts the program; the promise is of why it ended.
function engine({ go, instance }) {
	return new Promise((resolve) => {
		let came; // what it says may come before it is ready
		const mine = new Hub((to, e) => (to === me ? event(e) : to === '*' ? all(e) : channel.postMessage({ to, from: me, event: e })));
		globalThis.mirsalHost = {
			profile: options.profile, label: options.label, disk, near,
			tell: (text) => mine.event(text),
			ready: (handle) => { run = handle; hub = mine; hub.engine = handle.do; ready(handle.address); },
			ended: (why) => { came = why; resolve(why); },
		};
		go.run(instance).then(() => resolve(came ?? 'failed: the program has ended'), (e) => resolve(`failed: ${e}`));
	});
}

function all(e) {
	event(e);
	channel.postMessage({ to: '*', from: me, event: e });
}

function ready(address) {
	// the page remembers whose this was, and there is nothing of it: one clean state
	const reset = options.expect && !address ? { reset: true } : {};
	state('running', { address, ...reset });
	here();
	for (const c of early.splice(0)) command(c);
}

function ended(why) {
	hub = undefined;
	run = undefined;
	delete globalThis.mirsalHost;
	interrupt();
	const reset = /^(gone|lost):/.test(why) ? { reset: true } : {};
	channel.postMessage({ gone: me, why });
	state(why ? 'broken' : 'ended', { why, ...reset });
}

function stop() {
	run?.stop();
}

// put keeps what the page gives to be sent; sendFile takes the path that is answered.
async function put({ ref, blob }) {
	try {
		self.postMessage({ worker: 'put', ref, path: await disk.put(blob) });
	} catch (e) {
		self.postMessage({ worker: 'put', ref, why: String(e) });
	}
}

// file hands the page a file of which a message names the path.
async function file({ ref, path }) {
	const found = /^files\/[0-9a-f-]+$/.test(path) ? await disk.open(path).catch(() => null) : null;
	self.postMessage({ worker: 'file', ref, file: found });
}

// close has this Worker neither run the engine nor wait to.
function close() {
	turn.abort();
	if (run) return run.stop();
	elsewhere = undefined;
	interrupt();
	state('ended');
}

// erase throws all of the profile away, once no Worker uses it or waits to.
async function erase({ ref }) {
	channel.postMessage({ close: true });
	close();
	await navigator.locks.request(`mirsal ${options.profile}`, async () => {
		await new Promise((resolve, reject) => {
			const r = indexedDB.deleteDatabase(`mirsal ${options.profile}`);
			r.onsuccess = resolve;
			r.onerror = () => reject(r.error);
		});
		await disk.erase();
	});
	self.postMessage({ worker: 'erase', ref });
}
