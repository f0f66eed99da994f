// What the people of a group are called there. It is asked for once somebody is spoken to.

import { untrack } from 'svelte';
import type { World } from '../../model/world';
import { failed } from '../../port/engine';
import { plain } from '../../ui/bidi';
import { Names } from './named';

const together = 400; // ms in which what changes is asked for once

type Around = Pick<World, 'engine' | 'contacts' | 'connection'>;

export class GroupNames {
	/** known is undefined as long as nobody has asked */
	known = $state.raw<Names | undefined>(undefined);
	#world: Around;

	constructor(
		world: Around,
		readonly room: string,
	) {
		this.#world = world;
	}

	/** follow keeps them up to date until what it returns is called. */
	follow(): () => void {
		let timer: ReturnType<typeof setTimeout> | undefined;
		void this.load();
		const end = this.#world.engine.on('membersChanged', ({ room }) => {
			if (room === this.room) timer ??= setTimeout(() => ((timer = undefined), void this.load()), together);
		});
		return () => {
			clearTimeout(timer);
			end();
		};
	}

	async load() {
		const { engine, connection } = this.#world;
		const [list, profile] = await Promise.all([engine.do({ do: 'listMembers', room: this.room }), engine.do({ do: 'getProfile' })]);
		if (failed(list)) return;
		const own = connection.address ?? '';
		const names: Record<'own' | 'others', string[]> = { own: [local(own), plain(profile.name ?? '')], others: [] };
		for (const { address = '', nick = '' } of list.members ?? []) {
			const nicks = address === own ? [nick] : [nick, untrack(() => this.#world.contacts.of(address)?.nick) ?? '', local(address)];
			names[address === own ? 'own' : 'others'].push(...nicks.map(plain));
		}
		this.known = new Names(names.own, names.others);
	}
}

const local = (address: string) => address.split('@')[0]!;
