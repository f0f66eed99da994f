// The devices of a chat, or of a person, with what was decided about them: asked for when
// they are looked at, and again when something about them changes.

import type { World } from '../../model/world';
import { shown } from '../../model/contacts.svelte';
import { failed } from '../../port/engine';
import type { Device, Failure } from '../../port/types';
import { isolated, plain } from '../../ui/bidi';
import { compared, undecided } from './lock';

export type Decision = 'verified' | 'first-use' | 'refused';

export class Codes {
	list = $state.raw<readonly Device[]>([]);
	loaded = $state(false);
	/** how many other devices of one's own were not compared, where all of the others' were */
	own = $state(0);
	failure = $state.raw<Failure | undefined>(undefined);
	readonly #world: World;

	constructor(
		world: World,
		readonly address: string,
	) {
		this.#world = world;
	}

	/** watch asks, and asks again, until what it returns is called. */
	watch(): () => void {
		void this.load();
		const ends = [
			this.#world.engine.on('keyAlert', () => void this.load()),
			this.#world.engine.on('chatChanged', ({ chat }) => {
				if (chat.address === this.address && JSON.stringify(chat.lock) !== this.#lock) void this.load();
			}),
		];
		return () => ends.forEach((end) => end());
	}
	#lock = '';

	async load() {
		this.#lock = JSON.stringify(this.#world.chats.of(this.address)?.lock);
		const answer = await this.#world.engine.do({ do: 'listDevices', address: this.address });
		this.failure = failed(answer);
		if (this.failure) return;
		this.list = (answer.devices ?? []).filter((d) => !d.own);
		this.own = await this.#ownLeft();
		this.loaded = true;
	}

	async #ownLeft(): Promise<number> {
		const { done, all } = compared(this.list);
		if (!all || done < all || this.#world.chats.of(this.address)?.lock.state !== 'locked') return 0;
		const answer = await this.#world.engine.do({ do: 'listDevices', address: '' });
		const others = compared((answer.devices ?? []).filter((d) => d.own && !d.here));
		return failed(answer) ? 0 : others.all - others.done;
	}

	async decide({ address, fingerprint = '' }: Device, trust: Decision): Promise<Failure | undefined> {
		const failure = failed(await this.#world.engine.do({ do: 'setTrust', address, fingerprint, trust }));
		await this.load();
		return failure;
	}

	/** accept takes all that wait for a decision, without comparing. */
	async accept(): Promise<Failure | undefined> {
		await this.load();
		for (const device of undecided(this.list)) {
			const failure = await this.decide(device, 'first-use');
			if (failure) return failure;
		}
		return undefined;
	}
}

/** nameOf is what somebody is called here. */
export function nameOf({ chats, contacts }: World, address: string): string {
	return plain(chats.of(address)?.name || shown(contacts.of(address) ?? { address }));
}

/** namesOf is who a lock speaks of, as a list in the chosen language. */
export function namesOf(world: World, chat: string): string {
	const missing = world.chats.of(chat)?.lock.missing ?? [];
	const all = (missing.length ? missing : [chat]).map((address) => isolated(nameOf(world, address)));
	return new Intl.ListFormat(world.settings.locale).format(all.slice(0, 5)) + (all.length > 5 ? '…' : '');
}
