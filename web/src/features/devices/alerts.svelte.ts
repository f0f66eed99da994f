// News of one's own devices that a person has not seen yet: kept in this browser, so that they
// stay through a reload until somebody has looked.

import type { World } from '../../model/world';
import type { KeyAlert } from '../../port/types';

export interface Alert {
	kind: 'linked' | 'own-device' | 'changed';
	label?: string;
	/** names what waits to sign in, and until when it does: until then it can be refused */
	link?: string;
	until?: string;
	device?: number;
}

const place = 'mirsal devices';
const most = 20;
const kinds: readonly string[] = ['linked', 'own-device', 'changed'];

export class Alerts {
	list = $state.raw<readonly Alert[]>([]);
	#world: World | undefined;
	#of: string | undefined; // whose they are

	start(world: World) {
		this.#world = world;
		world.engine.on('keyAlert', (alert) => this.#hear(alert));
		world.connection.onOpen((address) => this.#open(address));
		if (world.connection.address) this.#open(world.connection.address);
	}

	/** waiting are devices that were let in elsewhere and can still be refused here. */
	waiting(now: number): readonly Alert[] {
		return this.list.filter((a) => a.link && a.until && Date.parse(a.until) > now);
	}

	/** seen lets go of all but what can still be refused. */
	seen(now = Date.now()) {
		this.#set(this.waiting(now));
	}

	refused(link: string) {
		this.#set(this.list.filter((a) => a.link !== link));
	}

	#hear({ address, kind, label, link, until, device }: KeyAlert) {
		if (address !== this.#world?.connection.address || !kinds.includes(kind)) return;
		this.#set([...this.list, { kind: kind as Alert['kind'], label, link, until, device }].slice(-most));
	}

	#open(address: string) {
		if (address === this.#of) return;
		this.#of = address;
		const kept = read();
		this.list = kept.of === address ? kept.alerts : [];
		if (kept.of !== address) localStorage.removeItem(place);
	}

	#set(list: readonly Alert[]) {
		this.list = list;
		if (list.length) localStorage.setItem(place, JSON.stringify({ of: this.#of, alerts: list }));
		else localStorage.removeItem(place);
	}
}

function read(): { of: string; alerts: Alert[] } {
	try {
		const kept = JSON.parse(localStorage.getItem(place) ?? '{}') as { of?: string; alerts?: Alert[] };
		return { of: kept.of ?? '', alerts: Array.isArray(kept.alerts) ? kept.alerts : [] };
	} catch {
		return { of: '', alerts: [] };
	}
}

export const alerts = new Alerts();
