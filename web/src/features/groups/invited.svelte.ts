// Which groups one is asked into and has not answered, and which ones one is out of.

import type { World } from '../../model/world';
import { failed } from '../../port/engine';
import type { Chat } from '../../port/types';

const out = new Set(['kicked', 'banned', 'removed', 'destroyed', 'declined']);

export class Standing {
	#asked = $state.raw<ReadonlySet<string>>(new Set());
	#world: Pick<World, 'engine'> | undefined;
	#seen = new Map<string, string>(); // the last line for which the engine was asked

	start(world: Pick<World, 'engine'>) {
		this.#world = world;
		world.engine.on('chatChanged', ({ chat }) => chat.joined && this.#is(chat.address, false));
	}

	/** asked says that there is an invitation to be answered. It is a row of the list like any other. */
	asked(chat: Chat): boolean {
		if (chat.joined || chat.last?.notice !== 'invited' || chat.last.mine) return false;
		void this.#ask(chat);
		return this.#asked.has(chat.address);
	}

	/** waits says that one has asked to be let in, and nobody has answered. */
	waits(chat: Chat): boolean {
		return Boolean(!chat.joined && chat.last?.notice === 'asked-in');
	}

	/** over says that one is in the group no more, by somebody else's doing. */
	over(chat: Chat): boolean {
		return Boolean(chat.room && !chat.joined && out.has(chat.last?.notice ?? '') && !chat.last?.params?.length);
	}

	// A group that one is in has the same last line while there is no connection, so the engine
	// is asked which it is: a group that it does not know, or where one is nothing.
	async #ask({ address, last }: Chat) {
		if (!this.#world || this.#seen.get(address) === last!.id) return;
		this.#seen.set(address, last!.id);
		const answer = await this.#world.engine.do({ do: 'roomInfo', room: address });
		this.#is(address, Boolean(failed(answer)) || !answer.role);
	}

	#is(address: string, asked: boolean) {
		if (this.#asked.has(address) === asked) return;
		const next = new Set(this.#asked);
		if (asked) next.add(address);
		else next.delete(address);
		this.#asked = next;
	}
}

export const standing = new Standing();
