// The snapshot is what was on the screen last: it is painted before there is an engine.
// It is kept sealed by a key that no script can read (a non-extractable CryptoKey), so
// that what is copied from the disk says nothing.

import type { Chat, Message } from '../port/types';

export interface Snapshot {
	address: string;
	chats: Chat[];
	/** the last messages of the chats opened last */
	screens: Record<string, Message[]>;
}

/** A Vault keeps one sealed value. */
export interface Vault {
	read(): Promise<Snapshot | null>;
	write(snapshot: Snapshot): Promise<void>;
	erase(): Promise<void>;
}

const settle = 1500; // ms without a change before it is written
const form = 1; // of the value; another one is not read

export class Snapshots {
	#timer: ReturnType<typeof setTimeout> | undefined;
	#vault: Vault;
	#take: () => Snapshot | null;

	constructor(vault: Vault, take: () => Snapshot | null) {
		this.#vault = vault;
		this.#take = take;
	}

	read(): Promise<Snapshot | null> {
		return this.#vault.read().catch(() => null); // without it the screen only starts later
	}

	/** changed has a snapshot taken when there has been no change for a while. */
	changed() {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => void this.now(), settle);
	}

	/** now writes at once: the page is about to be hidden. */
	async now() {
		clearTimeout(this.#timer);
		const snapshot = this.#take();
		if (snapshot) await this.#vault.write(snapshot).catch(() => {});
	}

	async erase() {
		clearTimeout(this.#timer);
		await this.#vault.erase().catch(() => {}); // where nothing can be kept, nothing was
	}
}

const name = 'mirsal screen';

/** browserVault is kept in IndexedDB. */
export function browserVault(): Vault {
	const db = () =>
		new Promise<IDBDatabase>((resolve, reject) => {
			const r = indexedDB.open(name, 1);
			r.onupgradeneeded = () => r.result.createObjectStore('kept');
			r.onsuccess = () => resolve(r.result);
			r.onerror = () => reject(r.error);
		});
	return {
		async read() {
			const d = await db();
			const [key, sealed] = await Promise.all([get<CryptoKey>(d, 'key'), get<Sealed>(d, 'snapshot')]);
			d.close();
			return key && sealed ? open(key, sealed) : null;
		},
		async write(snapshot) {
			const d = await db();
			let key = await get<CryptoKey>(d, 'key');
			if (!key) await put(d, 'key', (key = await fresh()));
			await put(d, 'snapshot', await seal(key, snapshot));
			d.close();
		},
		erase: () => finished(indexedDB.deleteDatabase(name)).then(() => {}),
	};
}

interface Sealed {
	form: number;
	nonce: Uint8Array<ArrayBuffer>;
	bytes: ArrayBuffer;
}

export const fresh = () => crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);

export async function seal(key: CryptoKey, snapshot: Snapshot): Promise<Sealed> {
	const nonce = crypto.getRandomValues(new Uint8Array(12));
	const text = new TextEncoder().encode(JSON.stringify(snapshot));
	return { form, nonce, bytes: await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce }, key, text) };
}

export async function open(key: CryptoKey, sealed: Sealed): Promise<Snapshot | null> {
	if (sealed.form !== form) return null;
	const text = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: sealed.nonce }, key, sealed.bytes);
	return JSON.parse(new TextDecoder().decode(text)) as Snapshot;
}

function finished<T>(r: IDBRequest<T>): Promise<T> {
	return new Promise((resolve, reject) => {
		r.onsuccess = () => resolve(r.result);
		r.onerror = () => reject(r.error);
	});
}

const get = <T>(d: IDBDatabase, key: string) => finished<T | undefined>(d.transaction('kept').objectStore('kept').get(key));
const put = (d: IDBDatabase, key: string, value: unknown) =>
	finished(d.transaction('kept', 'readwrite').objectStore('kept').put(value, key));
