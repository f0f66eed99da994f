// When the way of a call has to be looked for anew: the machine is in another network, or
// what was connected is so no more.

export class Network {
	#end: (() => void)[] = [];
	#later: ReturnType<typeof setTimeout> | undefined;
	#given: ReturnType<typeof setTimeout> | undefined;
	#was: RTCPeerConnectionState = 'new';

	constructor(
		/** changed asks for another way, lost says that none was found */
		readonly changed: () => void,
		readonly lost: () => void,
		readonly patience = { dip: 4000, way: 40_000 }, // ms
	) {}

	watch() {
		const other = () => this.#was !== 'new' && this.changed();
		addEventListener('online', other);
		this.#end.push(() => removeEventListener('online', other));
		const line = (navigator as { connection?: EventTarget }).connection;
		let kind = (line as { type?: string } | undefined)?.type;
		const turned = () => {
			const now = (line as { type?: string }).type;
			if (now !== kind && navigator.onLine) other();
			kind = now;
		};
		line?.addEventListener('change', turned);
		this.#end.push(() => line?.removeEventListener('change', turned));
	}

	/** is takes what the connection is now; a short dip mends itself. */
	is(state: RTCPeerConnectionState) {
		const before = this.#was;
		this.#was = state;
		clearTimeout(this.#later);
		if (state === 'connected') {
			clearTimeout(this.#given);
			this.#given = undefined;
		} else if (state === 'disconnected') this.#later = setTimeout(() => this.#look(), this.patience.dip);
		else if (state === 'failed' && before !== 'failed') this.#look();
	}

	#look() {
		this.#given ??= setTimeout(this.lost, this.patience.way);
		this.changed();
	}

	close() {
		clearTimeout(this.#later);
		clearTimeout(this.#given);
		this.#given = undefined;
		for (const end of this.#end.splice(0)) end();
		this.#was = 'new';
	}
}
