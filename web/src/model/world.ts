// The World is all that the screen knows, made once by main.ts and handed to every
// component by context. Features find what they need here and add what is theirs by
// their start().

import { createContext } from 'svelte';
import type { Engine } from '../port/engine';
import { Chats } from './chats.svelte';
import { Connection } from './connection.svelte';
import { Contacts } from './contacts.svelte';
import { Conversations } from './conversations.svelte';
import { Drafts } from './drafts.svelte';
import { Files } from './files.svelte';
import { Pictures } from './pictures.svelte';
import { Route } from './route.svelte';
import { Settings } from './settings.svelte';
import { Snapshots, type Snapshot, type Vault } from './snapshot';

export class World {
	readonly connection: Connection;
	readonly chats: Chats;
	readonly contacts: Contacts;
	readonly conversations: Conversations;
	readonly drafts: Drafts;
	readonly files: Files;
	readonly pictures: Pictures;
	readonly snapshots: Snapshots;
	/** busy tell what a window that begins anew by itself would break off: a call, a recording */
	readonly busy = new Set<() => boolean>();

	constructor(
		readonly engine: Engine,
		vault: Vault,
		readonly settings = new Settings(),
		readonly route = new Route(),
	) {
		this.connection = new Connection(engine);
		this.chats = new Chats(engine);
		this.drafts = new Drafts(engine, this.chats);
		this.files = new Files(engine);
		this.pictures = new Pictures(engine);
		this.contacts = new Contacts(engine);
		this.conversations = new Conversations(engine);
		this.snapshots = new Snapshots(vault, () => this.#snapshot());
		this.connection.onOpen((address) => this.#open(address));
		for (const name of ['chatChanged', 'chatGone', 'chatCleared', 'messageChanged', 'messageGone'] as const) {
			engine.on(name, () => this.snapshots.changed());
		}
	}

	/** paint shows what was seen last, before there is an engine. */
	async paint() {
		const last = await this.snapshots.read();
		if (!last || this.chats.loaded) return;
		this.connection.was(last.address);
		this.chats.paint(last.chats);
		this.conversations.paint(last.screens);
	}

	/** hide keeps what has not settled: the page may be gone the next moment. */
	hide() {
		this.drafts.now();
		void this.snapshots.now();
	}

	/** forget removes this account from the browser. */
	async forget() {
		await this.engine.do({ do: 'signOut', forget: true });
		await this.erase();
	}

	/** erase removes all that is kept here. */
	async erase() {
		await this.engine.erase();
		await this.snapshots.erase();
	}

	#open(address: string) {
		if (!address) return void this.snapshots.erase();
		void this.chats.load();
		void this.contacts.load();
		this.conversations.again();
	}

	#snapshot(): Snapshot | null {
		const { address } = this.connection;
		if (!address || !this.chats.loaded) return null;
		return { address, chats: this.chats.all.slice(0, 200), screens: this.conversations.screens() };
	}
}

/** world is the World of a component; provide is for the one who made it. */
export const [world, provide] = createContext<World>();
