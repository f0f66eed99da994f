// How others see this account, and what they are told: the engine's, asked for when it is
// looked at.

import type { World } from '../../model/world';
import { failed } from '../../port/engine';
import type { Failure, Privacy } from '../../port/types';

export class Account {
	name = $state('');
	avatar = $state('');
	/** undefined as long as it is not known */
	privacy = $state.raw<Privacy | undefined>(undefined);
	loaded = $state(false);
	readonly #world: World;

	constructor(world: World) {
		this.#world = world;
	}

	watch(): () => void {
		const { engine } = this.#world;
		void engine.do({ do: 'getProfile' }).then((answer) => {
			if (!failed(answer)) this.#is(answer);
			this.loaded = true;
		});
		void engine.do({ do: 'getSettings' }).then((answer) => {
			if (!failed(answer)) this.privacy = told(answer);
		});
		const ends = [engine.on('profile', (p) => this.#is(p)), engine.on('settings', (s) => (this.privacy = { lastSeen: this.privacy?.lastSeen, ...told(s) }))];
		return () => ends.forEach((end) => end());
	}

	/** tell changes one of the things that others are told; it is as before when that fails. */
	async tell(change: Partial<Privacy>): Promise<Failure | undefined> {
		if (!this.privacy) return undefined;
		const before = this.privacy;
		this.privacy = { ...before, ...change };
		// the last is the account's: it is said only where it is what changes
		const { lastSeen: _, ...device } = this.privacy;
		const failure = failed(await this.#world.engine.do({ do: 'setSettings', ...device, ...change }));
		if (failure) this.privacy = before;
		return failure;
	}

	async call(name: string): Promise<Failure | undefined> {
		return failed(await this.#world.engine.do({ do: 'setProfile', name: name.trim() }));
	}

	async show(picture: { data: string; width: number; height: number } | undefined): Promise<Failure | undefined> {
		const change = picture ? { picture: picture.data, width: picture.width, height: picture.height } : { noPicture: true };
		return failed(await this.#world.engine.do({ do: 'setProfile', ...change }));
	}

	#is({ name, avatar }: { name?: string; avatar?: string }) {
		this.name = name ?? '';
		this.avatar = avatar ?? '';
	}
}

const told = ({ receipts, readMarkers, typing, hideAddress, lastSeen }: Privacy): Privacy => ({ receipts, readMarkers, typing, ...(hideAddress ? { hideAddress } : {}), ...(lastSeen === undefined ? {} : { lastSeen }) });
