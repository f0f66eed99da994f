// A page that draws nothing: it tells the test all that the engine tells it.
import { attach } from './attach.js';

const own = trustedTypes.createPolicy('mirsal', {
	createScriptURL: (url) => {
		if (!['engine.js', 'tests.js'].includes(url)) throw new Error('not one of our scripts');
		return url;
	},
});
const tell = (what) => self.told(JSON.stringify(what));

// begin attaches; quiet, it tells of the connection only: what a test hears of
// each event costs more than the event.
self.begin = (quiet) => {
	// when, in milliseconds, something was first so: loading (its first bytes were
	// here), running, online
	self.times = {};
	const first = (name) => (self.times[name] ??= performance.now());
	self.engine = attach({
		label: 'browser of the tests',
		tell(event) {
			if (event.event === 'status') first(event.state);
			if (!quiet || event.event === 'status') tell(event);
		},
		state(s) {
			first(s.state);
			tell(s);
		},
		worker: () => (self.worker = new Worker(own.createScriptURL('engine.js'), { type: 'module' })),
	});
};

// tests runs a test program and returns what it has printed, and its exit code.
self.tests = () => new Promise((resolve) => {
	new Worker(own.createScriptURL('tests.js'), { type: 'module' }).onmessage = (m) => resolve(m.data);
});

// seal is a file's SHA-256 in hexadecimal.
self.seal = async (blob) => {
	const sum = await crypto.subtle.digest('SHA-256', await blob.arrayBuffer());
	return [...new Uint8Array(sum)].map((b) => b.toString(16).padStart(2, '0')).join('');
};
