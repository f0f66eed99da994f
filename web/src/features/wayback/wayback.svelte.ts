// When to speak of a way back, and what other devices have done about one. Kept in this browser.

import type { World } from '../../model/world';
import type { KeyAlert } from '../../port/types';

export interface News {
	kind: 'recovery-code' | 'passkey';
	label: string;
}

interface Kept {
	of: string;
	/** the account was made here, and nobody has answered yet */
	open?: boolean;
	/** own messages since */
	said?: number;
	news?: News[];
	/** what was told already */
	told?: string[];
}

const place = 'mirsal wayback';
const enough = 3; // messages of one's own
const quiet = 20_000; // ms without one

export class WayBack {
	/** offered shows the card */
	offered = $state(false);
	news = $state.raw<readonly News[]>([]);
	#kept: Kept = { of: '' };
	#timer: ReturnType<typeof setTimeout> | undefined;
	#world: World | undefined;

	start(world: World) {
		this.#world = world;
		world.connection.onOpen((address) => this.#open(address));
		if (world.connection.address) this.#open(world.connection.address);
		world.engine.on('messageChanged', ({ message, new: fresh }) => {
			if (fresh && message.mine && !message.notice) this.#said();
		});
		world.engine.on('keyAlert', (alert) => this.#hear(alert));
	}

	/** answered puts the card away for good: the page is in the menu and among the settings. */
	answered() {
		this.offered = false;
		this.#keep({ open: false });
	}

	seen() {
		this.news = [];
		this.#keep({ news: [] });
	}

	#open(address: string) {
		if (!address) return;
		const kept = read();
		this.#kept = kept.of === address ? kept : { of: address };
		this.news = this.#kept.news ?? [];
		if (this.#world?.connection.newcomer && this.#kept.open === undefined) this.#keep({ open: true, said: 0 });
		this.#wait();
	}

	#said() {
		if (!this.#kept.open) return;
		this.#keep({ said: (this.#kept.said ?? 0) + 1 });
		this.#wait();
	}

	// a calm moment is one after the first messages, in which none is being sent
	#wait() {
		clearTimeout(this.#timer);
		if (this.offered || !this.#kept.open || (this.#kept.said ?? 0) < enough) return;
		this.#timer = setTimeout(() => void this.#offer(), quiet);
	}

	// who has another device has a way back
	async #offer() {
		const { devices } = (await this.#world?.engine.do({ do: 'listDevices', address: '' })) ?? {};
		if (devices?.some((d) => d.own && d.active && !d.here)) return this.answered();
		this.offered = Boolean(this.#kept.open);
	}

	#hear({ address, kind, label, link = '' }: KeyAlert) {
		if (address !== this.#kept.of || (kind !== 'recovery-code' && kind !== 'passkey')) return;
		const told = this.#kept.told ?? [];
		if (told.includes(link)) return;
		if (link) this.#keep({ told: [...told, link].slice(-20) });
		this.news = [...this.news, { kind, label: label ?? '' } as News].slice(-5);
		this.#keep({ news: [...this.news] });
	}

	#keep(change: Partial<Kept>) {
		this.#kept = { ...this.#kept, ...change };
		localStorage.setItem(place, JSON.stringify(this.#kept));
	}
}

function read(): Kept {
	try {
		const kept = JSON.parse(localStorage.getItem(place) ?? '{}') as Partial<Kept>;
		return { ...kept, of: kept.of ?? '' };
	} catch {
		return { of: '' };
	}
}

export const wayback = new WayBack();
