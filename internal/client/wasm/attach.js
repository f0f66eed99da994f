// attach.js is the page's end: it starts the tab's Worker and speaks with it.
//
//	const engine = attach({ tell: (event) => …, state: (state) => … });
//	engine.do({ do: 'listChats' }).then((answer) => …);
//
// Options: tell hears events, in order; state hears where the engine stands
// (docs/protocol/engine.md); profile, label, wasm and integrity are the Worker's;
// worker makes the Worker, for pages whose Trusted Types want their own address.

export function attach({ tell, state = () => {}, profile = '', label, wasm, integrity, worker = ours }) {
	const mark = `mirsal ${profile}`;
	const w = worker();
	const waiting = new Map(); // number → what takes the answer
	let last = 0;

	w.onmessage = ({ data }) => {
		if (data.event === 'status') remember(data);
		if (data.worker === 'state') return state(data);
		const answer = data.ref && waiting.get(data.ref);
		if (!answer) return tell(data);
		waiting.delete(data.ref);
		answer(data);
	};
	w.onerror = (e) => state({ state: 'broken', why: `failed: ${e.message ?? 'the Worker does not start'}` });

	// What the browser throws away it throws away without a word, and not always this:
	// whose profile it was tells a new one from one that was lost.
	function remember({ state, address }) {
		if (state !== 'online' || localStorage.getItem(mark) === address) return;
		localStorage.setItem(mark, address);
		navigator.storage.persist?.();
	}

	function ask(message) {
		const ref = ++last;
		return new Promise((resolve) => {
			waiting.set(ref, resolve);
			w.postMessage({ ...message, ref });
		});
	}

	const start = { worker: 'start', profile, expect: localStorage.getItem(mark) ?? '' };
	w.postMessage(JSON.parse(JSON.stringify({ ...start, label, wasm, integrity })));
	return {
		// do is answered by the event that answers the command, whatever it says.
		do: ask,
		// put keeps a Blob and returns the path that sendFile takes.
		async put(blob) {
			const { path, why } = await ask({ worker: 'put', blob });
			if (!path) throw new Error(why);
			return path;
		},
		// file is what message.file.path names, null when it is not here any more.
		file: async (path) => (await ask({ worker: 'file', path })).file,
		// stop ends the engine in good order, if it runs in this tab.
		stop: () => w.postMessage({ worker: 'stop' }),
		// erase removes all of the profile from this browser.
		async erase() {
			localStorage.removeItem(mark);
			await ask({ worker: 'erase' });
		},
		// leave ends this tab's Worker at once; another tab goes on.
		leave: () => w.terminate(),
	};
}

const ours = () => new Worker(new URL('engine.js', import.meta.url), { type: 'module' });
