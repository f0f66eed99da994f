// One's own devices: those whose security codes are known, with what the server knows of their
// sign-in, and clients of which only that is known.

import type { World } from '../../model/world';
import { failed } from '../../port/engine';
import type { Access, Device, Failure } from '../../port/types';

export interface Own {
	key: string;
	/** as it calls itself, '' when it does not */
	label: string;
	software: string;
	first?: string;
	last?: string;
	online: boolean;
	here: boolean;
	/** its security code, where that is known, and what was decided about it */
	fingerprint?: string;
	trust?: string;
	/** what removes it */
	id?: number;
	client?: string;
}

/** ownOf puts both lists into one: this device first, then those seen last. */
export function ownOf(devices: readonly Device[], others: readonly Access[]): Own[] {
	const known = devices.filter((d) => d.active || d.here || d.access).map(ofDevice);
	const rest = others.map(ofAccess);
	return [...known, ...rest].sort((a, b) => Number(b.here) - Number(a.here) || Date.parse(b.last ?? '') - Date.parse(a.last ?? '') || 0);
}

const ofDevice = (d: Device): Own => ({
	key: `${d.id} ${d.fingerprint ?? ''}`,
	label: d.label || d.access?.name || '',
	software: d.access?.software ?? '',
	first: d.access?.first,
	last: d.access?.last ?? d.seen,
	online: Boolean(d.access?.online),
	here: Boolean(d.here),
	fingerprint: d.fingerprint,
	trust: d.trust,
	id: d.id,
});

const ofAccess = (a: Access): Own => ({
	key: a.client,
	label: a.name ?? '',
	software: a.software ?? '',
	first: a.first,
	last: a.last,
	online: Boolean(a.online),
	here: Boolean(a.here),
	client: a.client,
});

export class OwnDevices {
	list = $state.raw<readonly Own[]>([]);
	loaded = $state(false);
	failure = $state.raw<Failure | undefined>(undefined);
	readonly #world: World;

	constructor(world: World) {
		this.#world = world;
	}

	watch(): () => void {
		void this.load();
		const end = this.#world.engine.on('keyAlert', () => void this.load());
		// a security code comes a moment after the device that has it, and nobody says when
		const timer = setInterval(() => {
			if (this.list.some((d) => d.id !== undefined && !d.fingerprint)) void this.load();
		}, 5000);
		return () => {
			end();
			clearInterval(timer);
		};
	}

	async load() {
		const answer = await this.#world.engine.do({ do: 'listDevices', address: '' });
		this.failure = failed(answer);
		if (this.failure) return;
		this.list = ownOf(answer.devices ?? [], answer.others ?? []);
		this.loaded = true;
	}

	async remove({ id, client }: Own): Promise<Failure | undefined> {
		const failure = failed(await this.#world.engine.do(client ? { do: 'removeDevice', client } : { do: 'removeDevice', id }));
		await this.load();
		return failure;
	}

	/** know says that a device is one's own, and whether its code was compared. */
	async know({ fingerprint = '' }: Own, compared = false): Promise<Failure | undefined> {
		const trust = compared ? 'verified' : 'first-use';
		const failure = failed(await this.#world.engine.do({ do: 'setTrust', address: this.#world.connection.address ?? '', fingerprint, trust }));
		await this.load();
		return failure;
	}
}
