// The files of messages: how far they are, and what is shown of those that are here.

import { failed, type Engine } from '../port/engine';
import type { Failure, Media, Message } from '../port/types';
import { fileOf, kindOf, safeName, seen, typeOf } from './media';

export interface Way {
	done: number;
	/** 0 unknown */
	total: number;
}

export interface Sending extends Media {
	blob: Blob;
	name: string;
	type: string;
	/** said behind it */
	text?: string;
}

const keptAddresses = 200;

export class Files {
	#ways = $state.raw<ReadonlyMap<string, Way>>(new Map());
	#wrong = $state.raw<ReadonlyMap<string, Failure>>(new Map());
	#addresses = new Map<string, Promise<string>>(); // blob: addresses by path, the latest last
	#most = new Map<string, number>(); // what is fetched unasked, and how large that may be
	#tried = new Set<string>(); // unasked
	#regained = new Set<string>(); // that were here
	#port: Engine;

	constructor(port: Engine) {
		this.#port = port;
		port.on('progress', (p) => this.#progress(p.message, Math.max(0, p.done), Math.max(0, p.total)));
		port.on('messageChanged', ({ message }) => {
			const state = message.file?.state;
			if (state !== 'loading' && state !== 'sending') this.#forget(message.id);
		});
	}

	/** way is how far a file is that comes or goes. */
	way(id: string): Way | undefined {
		return this.#ways.get(id);
	}

	/** wrong is why it did not come. */
	wrong(id: string): Failure | undefined {
		return this.#wrong.get(id);
	}

	/** fetch brings a file here; what came of it before is not fetched again. */
	async fetch({ chat, id }: Message): Promise<boolean> {
		this.#most.delete(id);
		return this.#fetch(chat, id);
	}

	/** fetchSmall is fetch without having been asked for it: once, and not more than so many bytes. */
	async fetchSmall({ chat, id, file }: Message, most: number) {
		if (file?.state !== 'remote' || (file.size ?? -1) > most || this.#tried.has(id)) return;
		this.#tried.add(id);
		this.#most.set(id, most);
		await this.#fetch(chat, id);
		this.#most.delete(id);
	}

	/** cancel gives up a file on its way: one that was to be sent is then not there any more. */
	async cancel({ chat, id, file }: Message) {
		if (file?.state === 'loading') await this.#port.do({ do: 'cancel', message: id });
		else await this.#port.do({ do: 'deleteForMe', chat, messages: [id] });
	}

	/** address is a blob: address to draw a file by, '' where it is none that is drawn. */
	address(message: Message): Promise<string> {
		const file = fileOf(message);
		if (!file?.path) return Promise.resolve('');
		const { path } = file;
		const address = this.#addresses.get(path) ?? this.#open(message, path, file);
		this.#addresses.delete(path);
		this.#addresses.set(path, address);
		for (const [old, a] of this.#addresses) {
			if (this.#addresses.size <= keptAddresses) break;
			this.#addresses.delete(old);
			void a.then((url) => url && URL.revokeObjectURL(url));
		}
		return address;
	}

	/** blob is the file itself, null when it is not here any more. */
	async blob(message: Message): Promise<Blob | null> {
		const path = fileOf(message)?.path;
		return path ? this.#port.file(path) : null;
	}

	/** save hands a file to where people have theirs: always as one to be kept, never as a page. */
	async save(message: Message): Promise<boolean> {
		const file = (await this.blob(message)) ?? (await this.#fetched(message));
		if (!file) return false;
		const link = document.createElement('a');
		link.href = URL.createObjectURL(new Blob([file], { type: 'application/octet-stream' }));
		link.download = safeName(message.file!.name);
		link.click();
		setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
		return true;
	}

	/** send puts files into the outbox, in their order. */
	async send(chat: string, all: Sending[]): Promise<Failure | undefined> {
		for (const { blob, ...about } of all) {
			let path: string;
			try {
				path = await this.#port.put(blob);
			} catch {
				return { code: 'internal', text: 'there is no room for it here' };
			}
			const failure = failed(await this.#port.do({ do: 'sendFile', chat, path, ...about }));
			if (failure) return failure;
		}
		return undefined;
	}

	async #fetch(chat: string, message: string): Promise<boolean> {
		this.#fails(message, undefined);
		const failure = failed(await this.#port.do({ do: 'fetch', chat, message }));
		this.#forget(message);
		if (failure && failure.code !== 'canceled') this.#fails(message, failure);
		return !failure;
	}

	// fetched is a file that was not here, by the message as it is then.
	async #fetched(message: Message): Promise<Blob | null> {
		if (!(await this.fetch(message))) return null;
		const page = await this.#port.do({ do: 'history', chat: message.chat, around: message.id, limit: 1 });
		const path = page.messages?.find((m) => m.id === message.id)?.file?.path;
		return path ? this.#port.file(path) : null;
	}

	async #open(message: Message, path: string, file: { name: string; type?: string }): Promise<string> {
		const found = await this.#port.file(path);
		if (!found) this.#regain(message);
		const kind = kindOf(file);
		if (!found || kind === 'document') return '';
		const type = seen(new Uint8Array(await found.slice(0, 16).arrayBuffer()), kind, typeOf(file));
		return type ? URL.createObjectURL(found.slice(0, found.size, type)) : '';
	}

	// regain fetches a file that the browser has taken away, once: what comes of it is told as of any other.
	#regain(message: Message) {
		if (message.file?.state !== 'here' || this.#regained.has(message.id)) return;
		this.#regained.add(message.id);
		void this.fetch(message);
	}

	#progress(id: string, done: number, total: number) {
		this.#ways = new Map(this.#ways).set(id, { done, total });
		const most = this.#most.get(id);
		if (most === undefined || Math.max(done, total) <= most) return;
		this.#most.delete(id);
		void this.#port.do({ do: 'cancel', message: id });
	}

	#forget(id: string) {
		if (!this.#ways.has(id)) return;
		const next = new Map(this.#ways);
		next.delete(id);
		this.#ways = next;
	}

	#fails(id: string, failure: Failure | undefined) {
		const next = new Map(this.#wrong);
		if (failure) next.set(id, failure);
		else next.delete(id);
		this.#wrong = next;
	}
}

/** pixels is a data: picture that came with a file as a blob: address: the policy has no data:. */
export function pixels(thumb: string | undefined): string {
	const [, type, data] = /^data:(image\/(?:jpeg|png|webp));base64,([A-Za-z0-9+/=]{1,6000})$/.exec(thumb ?? '') ?? [];
	if (!type || !data) return '';
	try {
		return URL.createObjectURL(new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], { type }));
	} catch {
		return '';
	}
}
