// load brings the program here and compiles it while it comes.
//
// tell hears how many bytes have come, of how many (0 unknown): with compression what
// comes is counted unpacked, and the server's X-Unpacked-Length, if it says so, is the
// whole.
export async function load(url, integrity, tell) {
	const response = await fetch(url, { integrity: integrity ?? '', credentials: 'same-origin' });
	if (!response.ok) throw new Error(`the engine cannot be had: HTTP status ${response.status}`);
	const packed = response.headers.get('Content-Encoding');
	const total = Number(response.headers.get(packed ? 'X-Unpacked-Length' : 'Content-Length') ?? 0);
	count(response.clone().body, total, tell);
	const go = new globalThis.Go();
	go.env.GOGC = '200'; // on one thread, collecting half as often is a tenth less work
	// the response itself, so that the browser may keep what it has compiled
	const { instance } = await WebAssembly.instantiateStreaming(response, go.importObject);
	return { go, instance };
}

async function count(body, total, tell) {
	let done = 0, told = -1;
	try {
		for (const reader = body.getReader(); ;) {
			const { done: over, value } = await reader.read();
			done += value?.byteLength ?? 0;
			if (over || told < 0 || done - told >= 1 << 18) tell(told = done, total);
			if (over) return;
		}
	} catch {
		// whoever compiles it says what is wrong
	}
}
