// What a page makes and opens for calls, and what flows.

/** watchCalls counts what is made and what is opened, and keeps it for a look at what flows: it runs before the page's own scripts. */
export function watchCalls() {
	if (location.protocol === 'about:') return;
	globalThis.made = [];
	globalThis.opened = [];
	globalThis.RTCPeerConnection = class extends RTCPeerConnection {
		constructor(...how) {
			super(...how);
			globalThis.made.push(this);
		}
	};
	const get = MediaDevices.prototype.getUserMedia;
	MediaDevices.prototype.getUserMedia = async function (what) {
		const stream = await get.call(this, what);
		globalThis.opened.push(...stream.getTracks());
		return stream;
	};
}

/** flows waits until more of something comes than did; a condition of a page's that is a promise is not waited for. */
export async function flows(p, ...kinds) {
	const look = () =>
		p.page.evaluate(async () => {
			const found = {};
			for (const s of (await globalThis.made.at(-1)?.getStats())?.values() ?? []) {
				if (s.type !== 'inbound-rtp') continue;
				if (s.kind === 'audio') found.audio = (found.audio ?? 0) + s.packetsReceived;
				else found.video = (found.video ?? 0) + (s.framesDecoded ?? 0);
			}
			return found;
		});
	const first = await look();
	for (const by = Date.now() + 120_000; ; ) {
		const now = await look();
		if (kinds.every((k) => (now[k] ?? 0) > (first[k] ?? 0) + 5)) return;
		if (Date.now() > by) throw new Error(`${p.name} gets ${JSON.stringify(now)}, of ${kinds}`);
		await p.page.waitForTimeout(100);
	}
}

/** speaking waits until a call is on at these ends, with the time that it lasts. */
export async function speaking(...people) {
	for (const p of people) await p.page.getByRole('timer').filter({ hasText: /[0-9\u0660-\u0669]/ }).first().waitFor();
}
