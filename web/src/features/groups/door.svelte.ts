// How people come into a group by its link, and who asks to be let in.

import type { World } from '../../model/world';
import { failed } from '../../port/engine';
import type { Asking, Failure, RoomDoor } from '../../port/types';

export class Door {
	is = $state.raw<RoomDoor>();
	failure = $state.raw<Failure>();
	busy = $state('');
	#engine: Pick<World['engine'], 'do' | 'on'>;

	constructor(
		{ engine }: { engine: Pick<World['engine'], 'do' | 'on'> },
		readonly room: string,
	) {
		this.#engine = engine;
	}

	get asking(): Asking[] {
		return this.is?.asking ?? [];
	}

	/** follow keeps it up to date until what it returns is called. */
	follow(): () => void {
		void this.load();
		return this.#engine.on('roomDetails', (d) => d.room === this.room && void this.load());
	}

	/** load asks for it; with a link of 'new' it is renewed, with 'none' revoked. */
	async load(link?: 'new' | 'none') {
		if (link) this.busy = link;
		const answer = await this.#engine.do({ do: 'roomAccess', room: this.room, link });
		if (link) this.busy = '';
		if (link || !answer.failure) this.failure = answer.failure;
		if (!answer.failure) this.is = answer;
	}

	async admit(address: string, accept: boolean) {
		this.busy = address;
		this.failure = failed(await this.#engine.do({ do: 'admit', room: this.room, address, accept }));
		this.busy = '';
		await this.load();
	}

	async approve(on: boolean) {
		this.failure = failed(await this.#engine.do({ do: 'setRoom', room: this.room, approve: on }));
		await this.load();
	}
}
