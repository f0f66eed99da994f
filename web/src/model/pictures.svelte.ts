// The pictures of people and rooms, asked for when one is to be seen, as blob: addresses.

import { failed, type Engine } from '../port/engine';

// what a browser draws without running anything in it
const drawn = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/gif']);

export class Pictures {
	#byAddress = $state.raw<ReadonlyMap<string, { hash: string; url: string }>>(new Map());
	#asked = new Set<string>();
	#port: Engine;

	constructor(port: Engine) {
		this.#port = port;
	}

	/** of is the address of a picture to draw, '' as long as there is none. hash is what Chat.avatar names. */
	of(address: string, hash: string | undefined): string {
		if (!hash) return '';
		const here = this.#byAddress.get(address);
		if (here?.hash !== hash) void this.#ask(address, hash);
		return here?.url ?? '';
	}

	async #ask(address: string, hash: string) {
		const key = `${address} ${hash}`;
		if (this.#asked.has(key)) return;
		this.#asked.add(key);
		const answer = await this.#port.do({ do: 'avatar', address });
		if (failed(answer) || !answer.data || !drawn.has(answer.type ?? '')) return;
		const bytes = Uint8Array.from(atob(answer.data), (c) => c.charCodeAt(0));
		const url = URL.createObjectURL(new Blob([bytes], { type: answer.type }));
		const old = this.#byAddress.get(address);
		if (old) URL.revokeObjectURL(old.url);
		this.#byAddress = new Map(this.#byAddress).set(address, { hash, url });
	}
}
