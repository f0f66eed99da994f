// The chat list, newest first.

import type { Engine } from '../port/engine';
import type { Chat } from '../port/types';

export class Chats {
	/** loaded is false while there is only what was painted from the snapshot */
	loaded = $state(false);
	#byAddress = $state.raw<ReadonlyMap<string, Chat>>(new Map());
	#port: Engine;

	/** all are newest first */
	readonly all = $derived([...this.#byAddress.values()].sort(newestFirst));
	/** list is in the order to show: those that are pinned first, those put away not at all */
	readonly list = $derived(this.all.filter((c) => !c.archived).sort(pinnedFirst));
	readonly archived = $derived(this.all.filter((c) => c.archived));
	/** unread counts the messages that are to be noticed */
	readonly unread = $derived(this.list.reduce((sum, c) => sum + (muted(c) ? 0 : (c.unread ?? 0)), 0));

	constructor(port: Engine) {
		this.#port = port;
		port.on('chatChanged', ({ chat }) => this.#set([chat]));
		port.on('chatGone', ({ address }) => this.#remove(address));
	}

	of(address: string | undefined): Chat | undefined {
		return address === undefined ? undefined : this.#byAddress.get(address);
	}

	paint(chats: Chat[]) {
		if (!this.loaded) this.#set(chats);
	}

	async load() {
		const { chats } = await this.#port.do({ do: 'listChats' });
		if (!chats) return;
		this.#byAddress = new Map(chats.map((c) => [c.address, c]));
		this.loaded = true;
	}

	#set(chats: Chat[]) {
		const next = new Map(this.#byAddress);
		for (const c of chats) next.set(c.address, c);
		this.#byAddress = next;
	}

	#remove(address: string) {
		const next = new Map(this.#byAddress);
		next.delete(address);
		this.#byAddress = next;
	}
}

/** muted says that a chat makes no sound. */
export const muted = (c: Chat, now = Date.now()) => c.muted !== undefined && Date.parse(c.muted) > now;

const pinnedFirst = (a: Chat, b: Chat) => Number(Boolean(b.pinned)) - Number(Boolean(a.pinned)); // keeps the rest
const newestFirst = (a: Chat, b: Chat) => Date.parse(b.active) - Date.parse(a.active) || a.address.localeCompare(b.address);
